import { KubeConfig } from "@kubernetes/client-node";
import { request as requestHttp, type IncomingMessage } from "node:http";
import { request as requestHttps, type RequestOptions } from "node:https";
import { text } from "node:stream/consumers";

export interface KubeRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From the root: `/api/v1/pods`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Default `application/json`; a PATCH says which patch it is. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

/** An answer of the API server that is no success. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  /** Kubernetes' word: `NotFound`, `Conflict`, `AlreadyExists`, `Expired`, …; empty when the answer was no Status. */
  readonly reason: string;
  /** Seconds that the server asks to wait before the next try. */
  readonly retryAfter: number | undefined;

  constructor(message: string, answer: { readonly status: number; readonly reason: string; readonly retryAfter?: number | undefined }) {
    super(message);
    this.status = answer.status;
    this.reason = answer.reason;
    this.retryAfter = answer.retryAfter;
  }
}

/** One API server, with the credentials and trust of a kubeconfig (which are read anew as they rotate). */
export interface KubeClient {
  /** For messages. */
  readonly server: string;
  /**
   * Resolves with the parsed JSON of a success.
   * @throws ApiError for any other answer; Error with a cause when there is no answer within 30 s.
   */
  request(request: KubeRequest): Promise<unknown>;
  /** The same, but resolves with the body as it comes; it lasts until it ends or `signal` aborts. For watches. */
  open(request: KubeRequest): Promise<IncomingMessage>;
}

/** What the library falls back to when it finds no configuration at all; no API server has listened there for years. */
const nowhere = "http://localhost:8080";

/**
 * A client for the cluster of `kubeconfig`; without one: of KUBECONFIG, ~/.kube/config, or the pod that we run in.
 * @throws Error when there is no cluster in it.
 */
export function createKubeClient(kubeconfig?: string): KubeClient {
  const config = new KubeConfig();
  if (kubeconfig === undefined) config.loadFromDefault();
  else config.loadFromFile(kubeconfig);
  const server = config.getCurrentCluster()?.server;
  if (server === undefined || server === nowhere) throw new Error("There is no cluster to talk to: set KUBECONFIG, or run in a pod with a service account.");
  return {
    server,
    request: (request) => requestJson(config, server, request),
    open: (request) => openRequest(config, server, request),
  };
}

const answerMilliseconds = 30_000;

async function requestJson(config: KubeConfig, server: string, request: KubeRequest): Promise<unknown> {
  const limit = AbortSignal.timeout(answerMilliseconds);
  const signal = request.signal === undefined ? limit : AbortSignal.any([request.signal, limit]);
  const response = await openRequest(config, server, { ...request, signal });
  try {
    return parseJson(await text(response));
  } catch (error) {
    throw unanswered(server, request, error);
  }
}

async function openRequest(config: KubeConfig, server: string, request: KubeRequest): Promise<IncomingMessage> {
  const response = await send(config, server, request).catch((error: unknown) => {
    throw unanswered(server, request, error);
  });
  const { statusCode: status = 0 } = response;
  if (status >= 200 && status < 300) return response;
  throw toApiError(request, response, await text(response).catch(() => ""));
}

async function send(config: KubeConfig, server: string, request: KubeRequest): Promise<IncomingMessage> {
  const { path, query, body, signal, method } = request;
  const url = new URL(server.replace(/\/$/, "") + path);
  for (const [key, value] of Object.entries(query ?? {})) url.searchParams.set(key, value);
  const options: RequestOptions = { method };
  await config.applyToHTTPSOptions(options);
  options.headers = { accept: "application/json", ...(options.headers as Record<string, string> | undefined) };
  if (body !== undefined) options.headers["content-type"] = request.contentType ?? "application/json";
  if (signal !== undefined) options.signal = signal;
  return await new Promise((resolve, reject) => {
    const start = url.protocol === "http:" ? requestHttp : requestHttps;
    const outgoing = start(url, options, resolve);
    outgoing.on("error", reject);
    // A peer that is gone without a word is noticed, on watches too.
    outgoing.on("socket", (socket) => socket.setKeepAlive(true, 30_000));
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function unanswered(server: string, { method, path }: KubeRequest, cause: unknown): Error {
  if (cause instanceof ApiError) return cause;
  const reason = cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : String(cause);
  return new Error(`The API server ${server} does not answer ${method} ${path}: ${reason}`, { cause });
}

function toApiError({ method, path }: KubeRequest, response: IncomingMessage, body: string): ApiError {
  const status = response.statusCode ?? 0;
  const answer = parseJson(body);
  const { reason, message } = typeof answer === "object" && answer !== null ? (answer as { readonly reason?: unknown; readonly message?: unknown }) : {};
  const retryAfter = Number(response.headers["retry-after"]);
  const told = typeof message === "string" ? message : body.slice(0, 200);
  return new ApiError(`${method} ${path}: ${status} ${told}`, {
    status,
    reason: typeof reason === "string" ? reason : "",
    retryAfter: Number.isFinite(retryAfter) && response.headers["retry-after"] !== undefined ? retryAfter : undefined,
  });
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
