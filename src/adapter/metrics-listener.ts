import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { contentType, formatFamilies, type FamilyValues } from "../monitor/exposition.ts";
import type { Labels } from "../monitor/labels.ts";
import type { Logger } from "../runtime/logger.ts";
import { httpLimits } from "../runtime/server-limits.ts";
import type { Endpoint } from "../std/endpoint.ts";
import type { Listening } from "./statsd-listener.ts";

export interface MetricsSource {
  /** What is exposed at this moment. */
  families(): readonly FamilyValues[];
  /** The constant labels; never rejects. */
  labels(): Promise<Labels>;
  /** The pod asks the process to end. */
  quit(): void;
}

/** Prometheus, the metrics server, a person: each needs one. The port is open to the whole cluster. */
const maxConnections = 64;
/** Milliseconds for a reader to take its answer: one that does not must not keep its connection from others. */
const sendTimeout = 15_000;
const chunkLength = 16 * 1024;

/**
 * `/metrics` with the constant labels, `/metrics?labels=none` without (for the metrics server), `/ready`; `POST /quitquitquit`.
 * @throws when the port is taken: the address is in the message.
 */
export async function listenMetrics(listen: Endpoint, source: MetricsSource, logger: Logger): Promise<Listening> {
  const server = createServer(httpLimits, (request, response) => {
    if (request.method === "POST" && request.url === "/quitquitquit") return quit(request, response, source);
    answer(request, response, source).catch((error: unknown) => {
      logger.error({ err: error }, "metrics could not be answered");
      response.destroy();
    });
  });
  server.maxConnections = maxConnections;
  server.listen(listen.port, listen.host);
  await once(server, "listening");
  return {
    address: { host: listen.host, port: (server.address() as AddressInfo).port },
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, source: MetricsSource): Promise<void> {
  const url = URL.parse(request.url ?? "/", "http://adapter");
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    return send(response, 405, "Only GET is answered here.\n");
  }
  switch (url?.pathname) {
    case "/ready":
      return send(response, 200, "ready\n");
    case "/metrics": {
      const labels = url.searchParams.get("labels") === "none" ? [] : await source.labels();
      response.setHeader("content-type", contentType);
      // Chunks, as fast as the reader takes them: a slow one must not make the process hold its text.
      return stream(chunksOf(formatFamilies(source.families(), labels)), response);
    }
    default:
      return send(response, 404, "There is nothing here. Metrics are at /metrics, the readiness at /ready.\n");
  }
}

/** Only from inside the pod: traffic that the proxy hands on from outside comes from 127.0.0.6, to the pod's own address. */
function quit({ socket }: IncomingMessage, response: ServerResponse, source: MetricsSource): void {
  const inside = ["127.0.0.1", "::1", "::ffff:127.0.0.1"];
  if (![socket.remoteAddress, socket.localAddress].every((address) => inside.includes(address ?? ""))) {
    return send(response, 403, "Only the pod itself may ask for this, at 127.0.0.1.\n");
  }
  response.once("close", () => source.quit());
  send(response, 200, "The adapter ends.\n");
}

async function stream(chunks: Iterable<string>, response: ServerResponse): Promise<void> {
  const timer = setTimeout(() => response.destroy(), sendTimeout);
  try {
    await pipeline(Readable.from(chunks), response);
  } finally {
    clearTimeout(timer);
  }
}

/** Joins small texts to some of a packet's size and more. */
function* chunksOf(texts: Iterable<string>): Generator<string> {
  let chunk = "";
  for (const text of texts) {
    chunk += text;
    if (chunk.length < chunkLength) continue;
    yield chunk;
    chunk = "";
  }
  if (chunk !== "") yield chunk;
}

function send(response: ServerResponse, status: number, body: string): void {
  if (!response.hasHeader("content-type")) response.setHeader("content-type", "text/plain; charset=utf-8");
  response.writeHead(status).end(body);
}
