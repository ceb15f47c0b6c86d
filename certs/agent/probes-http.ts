import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Asking, HttpProbe, ProbeAnswer } from "./probes.ts";

/** The kubelet reads as much of a body. */
const maxBody = 10 * 1024;
/** The kubelet gives up after as many requests. */
const maxRequests = 10;
/** 3xx that lead elsewhere; the others are answers. */
const redirects: readonly number[] = [301, 302, 303, 307, 308];

/**
 * Asks the application as the kubelet would (pkg/probe/http): no certificate check, redirects followed on the same host
 * only, one to elsewhere counts as success. Rejects when there is no answer.
 */
export async function askHttp(probe: HttpProbe, asking: Asking): Promise<ProbeAnswer> {
  try {
    return await follow(addressOf(probe, asking.host, probe.scheme), probe, asking);
  } catch (error) {
    if (!isPlaintextHook(probe, error)) throw error;
    return follow(addressOf(probe, asking.host, "HTTP"), probe, asking);
  }
}

/** A hook for HTTPS at a server that speaks HTTP: the kubelet asks again, in plaintext. OpenSSL reads `HTTP/` as a version. */
function isPlaintextHook({ timeoutSeconds }: HttpProbe, error: unknown): boolean {
  return timeoutSeconds === undefined && error instanceof Error && /wrong version number|packet length too long/.test(error.message);
}

/** Scheme and host in a path count for nothing, as for the kubelet (net/url.Parse, then both are overwritten). */
function addressOf({ port, path }: HttpProbe, host: string, scheme: HttpProbe["scheme"]): URL {
  const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const rest = path.replace(/^(?:[A-Za-z][A-Za-z0-9+.-]*:)?\/\/[^/?#]*/, "");
  return new URL(`${scheme.toLowerCase()}://${authority}${/^[/?]/.test(rest) ? "" : "/"}${rest}`);
}

async function follow(start: URL, probe: HttpProbe, asking: Asking): Promise<ProbeAnswer> {
  let url = start;
  for (let count = 0; count < maxRequests; count += 1) {
    const { status, body, location } = await ask(url, probe, asking);
    if (!redirects.includes(status) || location === undefined) return { status, body };
    const next = new URL(location, url);
    if (next.hostname !== start.hostname) return { status: 200, body: `redirected to another host: ${next.hostname}\n` };
    url = next;
  }
  throw new Error(`stopped after ${maxRequests} redirects`);
}

function ask(url: URL, probe: HttpProbe, { localAddress, userAgent, signal }: Asking): Promise<ProbeAnswer & { readonly location: string | undefined }> {
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const from = localAddress === undefined ? {} : { localAddress };
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
