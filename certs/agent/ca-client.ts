import { readFile } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
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
 * One HTTPS call on a connection of its own, so that a changed trust bundle counts at once. Resolves for 200 and 304;
 * rejects with a CaError for every other answer, and with the socket's error when there is none.
 */
export async function callCa(ca: CaAddress, call: CaCall): Promise<CaAnswer> {
  const bundle = parseBundle(await readFile(ca.trustBundle, "utf8"));
  if ("problem" in bundle) throw new CaError(`The trust bundle ${ca.trustBundle} cannot be used: ${bundle.problem}`);
  const token = (await readFile(ca.token, "utf8")).trim();
  const answer = await exchange(ca, call, { ca: [...bundle.certificates], token });
  const body = await readBody(answer);
  const status = answer.statusCode ?? 0;
  if (status !== 200 && status !== 304) throw refusal(call, answer, body);
  const date = Date.parse(answer.headers.date ?? "");
  return { status, etag: answer.headers.etag, serverTime: Number.isNaN(date) ? Date.now() : date, body };
}

function exchange(ca: CaAddress, call: CaCall, secrets: { readonly ca: string[]; readonly token: string }): Promise<IncomingMessage> {
  const headers = { ...call.headers, authorization: `Bearer ${secrets.token}`, ...(call.body === undefined ? {} : { "content-type": "application/json" }) };
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(call.timeoutSeconds * 1000)]);
  return new Promise((resolve, reject) => {
    const request = httpsRequest(new URL(call.path, ca.url), { method: call.method, headers, ca: secrets.ca, agent: false, signal, minVersion: "TLSv1.3" });
    request.on("response", resolve).on("error", reject);
    request.end(call.body);
  });
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
