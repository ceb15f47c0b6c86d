import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import type { IncomingMessage } from "node:http";
import { parseBundle } from "../x509/pem.ts";

/** Where the CA is, what it is trusted by, and what proves who we are; both files are read again for every call. */
export interface CaAddress {
  /** `https://weft-controller.weft-system.svc:15012` */
  readonly url: string;
  /** PEM file. */
  readonly trustBundle: string;
  readonly token: string;
}

export interface CaCall {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
}

export interface CaAnswer {
  readonly status: number;
  readonly etag: string | undefined;
  /** Of the server's clock, milliseconds; ours where it does not tell. */
  readonly serverTime: number;
  readonly body: string;
}

/** The CA said no, or nothing that can be used. The message is for the log and names no secret. */
export class CaError extends Error {
  override readonly name = "CaError";
  /** As the CA asked, else undefined. */
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, retryAfterSeconds?: number) {
    super(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

const maxAnswerBytes = 1024 * 1024;

/**
 * Talks to the CA on connections that stay open: each new one costs a hundred kilobytes until the collector runs, which
 * in a process that does so little is late. They are left as soon as the trust bundle's file has other content.
 */
export class CaClient {
  readonly #address: CaAddress;
  #connections: { readonly bundle: string; readonly agent: Agent } | undefined;

  constructor(address: CaAddress) {
    this.#address = address;
  }

  /** Resolves for 200 and 304; rejects with a CaError for every other answer, and with the socket's error when there is none. */
  async call(call: CaCall): Promise<CaAnswer> {
    const limit = limitOf(call);
    try {
      const answer = await this.#exchange(call, limit.signal);
      const body = await readBody(answer);
      const status = answer.statusCode ?? 0;
      if (status !== 200 && status !== 304) throw refusal(call, answer, body);
      const date = Date.parse(answer.headers.date ?? "");
      return { status, etag: answer.headers.etag, serverTime: Number.isNaN(date) ? Date.now() : date, body };
    } finally {
      limit.end();
    }
  }

  close(): void {
    this.#connections?.agent.destroy();
  }

  async #exchange(call: CaCall, signal: AbortSignal): Promise<IncomingMessage> {
    const agent = await this.#agent();
    const token = (await readFile(this.#address.token, "utf8")).trim();
    const headers = { ...call.headers, authorization: `Bearer ${token}`, ...(call.body === undefined ? {} : { "content-type": "application/json" }) };
    return new Promise((resolve, reject) => {
      const sent = request(new URL(call.path, this.#address.url), { method: call.method, headers, agent, signal });
      sent.on("response", resolve).on("error", reject).end(call.body);
    });
  }

  async #agent(): Promise<Agent> {
    const text = await readFile(this.#address.trustBundle, "utf8");
    if (this.#connections?.bundle === text) return this.#connections.agent;
    const bundle = parseBundle(text);
    if ("problem" in bundle) throw new CaError(`The trust bundle ${this.#address.trustBundle} cannot be used: ${bundle.problem}`);
    // Sessions are not resumed, so that every connection verifies the CA's certificate.
    const agent = new Agent({ keepAlive: true, maxCachedSessions: 0, ca: [...bundle.certificates], minVersion: "TLSv1.3" });
    this.#connections = { bundle: text, agent };
    return agent;
  }
}

/** Ends with the caller's signal or in time, and leaves no timer behind. */
function limitOf(call: CaCall): { readonly signal: AbortSignal; readonly end: () => void } {
  const controller = new AbortController();
  function abort(): void {
    controller.abort();
  }
  const timer = setTimeout(abort, call.timeoutSeconds * 1000);
  call.signal.addEventListener("abort", abort);
  if (call.signal.aborted) abort();
  return {
    signal: controller.signal,
    end: () => {
      clearTimeout(timer);
      call.signal.removeEventListener("abort", abort);
    },
  };
}

async function readBody(answer: IncomingMessage): Promise<string> {
  let body = "";
  answer.setEncoding("utf8");
  for await (const chunk of answer) {
    body += String(chunk);
    if (body.length > maxAnswerBytes) throw new CaError("The CA's answer is larger than 1 MiB.");
  }
  return body;
}

function refusal(call: CaCall, answer: IncomingMessage, body: string): CaError {
  const retryAfter = Number(answer.headers["retry-after"] ?? Number.NaN);
  const message = `The CA answered ${call.method} ${call.path} with ${answer.statusCode}: ${body.slice(0, 500)}`;
  return Number.isFinite(retryAfter) ? new CaError(message, retryAfter) : new CaError(message);
}
