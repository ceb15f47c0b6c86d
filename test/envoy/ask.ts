/**
 * `node ask.ts JSON`: does the calls of a list one after the other, and prints their outcomes as JSON. A call is
 * `{"url"}` (HTTP, with `count` for several: how often each name answered), or `{"host","port","send"}` (TCP: what was
 * answered until a line break came), or `{"http2": "http://HOST:PORT"}`, or `{"host","port","tls": [ALPN protocols]}` (a
 * TLS greeting alone: the error's code tells whether anybody answered it).
 */
import { connect } from "node:net";
import { request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTls } from "node:tls";

export interface Call {
  readonly url?: string;
  readonly count?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly host?: string;
  readonly port?: number;
  readonly send?: string;
  readonly http2?: string;
  readonly tls?: readonly string[];
}

export interface Answer {
  readonly status?: number;
  readonly body?: string;
  readonly server?: string;
  readonly names?: Readonly<Record<string, number>>;
  readonly text?: string;
  readonly error?: string;
}

function get({ url = "", headers = {} }: Call): Promise<Answer> {
  return new Promise((resolve) => {
    // Not as a URL, whose parser would tidy the path.
    const [, ipv6, ipv4 = "", port = "80", path = "/"] = /^http:\/\/(?:\[([^\]]+)\]|([^:/]+))(?::([0-9]+))?(\/.*)$/.exec(url) ?? [];
    const call = request({ host: ipv6 ?? ipv4, port, path, headers, timeout: 5000, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => (body += text));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body, server: String(response.headers.server) }));
      response.on("error", (error) => resolve({ error: error.message }));
    });
    call.on("timeout", () => call.destroy(new Error("timeout")));
    call.on("error", (error: NodeJS.ErrnoException) => resolve({ error: error.code ?? error.message }));
    call.end();
  });
}

function getHttp2(authority: string): Promise<Answer> {
  return new Promise((resolve) => {
    const session = connectHttp2(authority);
    const stream = session.request({ ":path": "/h2" });
    let body = "";
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => (body += text));
    stream.on("end", () => session.close(() => resolve({ body })));
    session.on("error", (error: NodeJS.ErrnoException) => resolve({ error: error.code ?? error.message }));
    stream.on("error", (error: NodeJS.ErrnoException) => resolve({ error: error.code ?? error.message }));
  });
}

function one(call: Call): Promise<Answer> {
  if (call.http2 !== undefined) return getHttp2(call.http2);
  if (call.tls !== undefined) return greetByTls(call);
  if (call.url === undefined) return talk(call);
  return call.count === undefined ? get(call) : getMany(call);
}

function greetByTls({ host = "", port = 0, tls = [] }: Call): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connectTls({ host, port, ALPNProtocols: [...tls], rejectUnauthorized: false, timeout: 5000 });
    socket.on("timeout", () => socket.destroy(new Error("timeout")));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve({ error: error.code ?? error.message }));
    socket.on("secureConnect", () => resolve({ text: "secure" }));
  });
}

async function getMany(call: Call): Promise<Answer> {
  const names: Record<string, number> = {};
  for (let index = 0; index < (call.count ?? 1); index += 1) {
    const { status, body = "{}" } = await get(call);
    const name = status === 200 ? String((JSON.parse(body) as { readonly name?: string }).name) : String(status);
    names[name] = (names[name] ?? 0) + 1;
  }
  return { names };
}

function talk({ host = "", port = 0, send = "" }: Call): Promise<Answer> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ host, port, timeout: 5000 }, () => socket.write(send));
    socket.setEncoding("latin1");
    socket.on("data", (data: string) => {
      text += data;
      if (text.endsWith("\n")) socket.destroy();
    });
    socket.on("timeout", () => socket.destroy(new Error("timeout")));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve({ error: error.code ?? error.message }));
    socket.on("close", () => resolve({ text }));
  });
}

if (import.meta.main) {
  const answers: Answer[] = [];
  for (const call of JSON.parse(process.argv[2] ?? "[]") as readonly Call[]) {
    answers.push(await one(call));
  }
  process.stdout.write(JSON.stringify(answers));
}
