import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIPv4 } from "node:net";
import { formatEndpoint } from "../../src/std/endpoint.ts";

/** A user's HTTP probe that injection pointed at the agent, by `container/liveness|readiness|startup`. */
export interface HttpProbe {
  readonly scheme: "HTTP" | "HTTPS";
  readonly port: number;
  readonly path: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly timeoutSeconds: number;
}

export interface ProbeAnswer {
  readonly status: number;
  readonly body: string;
}

/** Reads `WEFT_PROBES`. Throws when it is not what injection writes. */
export function parseProbes(text: string): ReadonlyMap<string, HttpProbe> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("The probes are not a JSON object.");
  return new Map(Object.entries(value).map(([name, probe]) => [name, parseProbe(name, probe)]));
}

function parseProbe(name: string, value: unknown): HttpProbe {
  if (typeof value !== "object" || value === null) throw new Error(`The probe ${name} is not an object.`);
  const { scheme, port, path, headers, timeoutSeconds }: Record<string, unknown> = { ...value };
  return {
    scheme: scheme === "HTTPS" ? "HTTPS" : "HTTP",
    port: parsePort(name, port),
    path: typeof path === "string" ? path : "",
    headers: Array.isArray(headers) ? headers.flatMap(parseHeader) : [],
    timeoutSeconds: typeof timeoutSeconds === "number" ? Math.max(timeoutSeconds, 1) : 1,
  };
}

function parsePort(name: string, value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 65_535) return value;
  throw new Error(`The probe ${name} has no port from 1 to 65535.`);
}

function parseHeader(value: unknown): { name: string; value: string }[] {
  if (typeof value !== "object" || value === null || !("name" in value) || !("value" in value)) return [];
  return [{ name: String(value.name), value: String(value.value) }];
}

/** The kubelet reads as much of a body. */
const maxBody = 10 * 1024;
const maxRedirects = 10;

/**
 * Asks the application as the kubelet would (pkg/probe/http): no certificate check, redirects followed on the same host
 * only, one to elsewhere counts as success. 504 when it does not answer in time, 502 when it cannot be reached.
 */
export async function runProbe(probe: HttpProbe, host: string, userAgent: string): Promise<ProbeAnswer> {
  const signal = AbortSignal.timeout(probe.timeoutSeconds * 1000);
  try {
    return await follow(addressOf(probe, host), { probe, userAgent, signal });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return signal.aborted ? { status: 504, body: `no answer within ${probe.timeoutSeconds} s\n` } : { status: 502, body: `${reason}\n` };
  }
}

/**
 * The redirection lets this source through to the application (src/init/rules.ts). The agent runs as the proxy's user, so
 * from any other its call to the pod's own address would meet the inbound listener, which strict mode closes to it.
 */
const probeSource = "127.0.0.6";

/** Joined as text, so that a path such as `//elsewhere` stays a path. */
function addressOf(probe: HttpProbe, host: string): URL {
  const authority = formatEndpoint({ host, port: probe.port });
  return new URL(`${probe.scheme.toLowerCase()}://${authority}${probe.path.startsWith("/") ? "" : "/"}${probe.path}`);
}

interface Asking {
  readonly probe: HttpProbe;
  readonly userAgent: string;
  readonly signal: AbortSignal;
}

async function follow(start: URL, asking: Asking): Promise<ProbeAnswer> {
  let url = start;
  for (let hop = 0; hop <= maxRedirects; hop += 1) {
    const answer = await ask(url, asking);
    const { status, location } = answer;
    if (status < 300 || status >= 400 || location === undefined) return { status, body: answer.body };
    const next = new URL(location, url);
    if (next.hostname !== start.hostname) return { status: 200, body: `redirected to another host: ${next.hostname}\n` };
    url = next;
  }
  return { status: 502, body: `more than ${maxRedirects} redirects\n` };
}

function ask(url: URL, asking: Asking): Promise<ProbeAnswer & { readonly location: string | undefined }> {
  const { probe, userAgent, signal } = asking;
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const from = isIPv4(url.hostname) ? { localAddress: probeSource } : {};
    const sent = request(url, { agent: false, signal, rejectUnauthorized: false, headers: headersOf(probe, userAgent), ...from });
    sent.on("error", reject).on("response", (answer) => {
      readStart(answer).then((body) => resolve({ status: answer.statusCode ?? 502, body, location: answer.headers.location }), reject);
    });
    sent.end();
  });
}

/** A name may stand there twice; an empty value takes a default header away, as the kubelet has it. */
function headersOf(probe: HttpProbe, userAgent: string): Record<string, string | string[]> {
  const headers: Record<string, string[]> = { "user-agent": [userAgent], accept: ["*/*"], connection: ["close"] };
  const own = new Set<string>();
  for (const { name, value } of probe.headers) {
    const key = name.toLowerCase();
    if (!own.has(key)) headers[key] = [];
    own.add(key);
    headers[key]?.push(value);
  }
  const used = Object.entries(headers).filter(([name, values]) => !["user-agent", "accept"].includes(name) || values.join("") !== "");
  return Object.fromEntries(used.map(([name, values]) => [name, values.length === 1 ? (values[0] ?? "") : values]));
}

async function readStart(answer: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of answer.setEncoding("utf8")) {
    body += String(chunk);
    if (body.length >= maxBody) break;
  }
  return body.slice(0, maxBody);
}
