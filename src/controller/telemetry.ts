import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Endpoint } from "../std/endpoint.ts";

export interface TelemetryOptions {
  /** Port 0 = any free one. */
  readonly listen: Endpoint;
  /** Why this process cannot serve yet, in a sentence; undefined = it can. */
  readonly obstacle: () => string | undefined;
  /** Prometheus text and its content type; undefined = nothing to measure yet. */
  readonly metrics: () => { readonly contentType: string; metrics(): Promise<string> } | undefined;
}

export interface Telemetry {
  readonly address: Endpoint;
  stop(): Promise<void>;
}

/** Plain HTTP for the kubelet and Prometheus: `/healthz` (the process lives), `/readyz`, `/metrics`. Rejects when the port is taken. */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const server = createServer({ requestTimeout: 5_000, headersTimeout: 5_000 }, (request, response) => {
    answer(options, request, response).catch(() => response.writeHead(500).end("The metrics cannot be collected.\n"));
  });
  const { host } = options.listen;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.listen.port, host, resolve);
  });
  return {
    address: { host, port: (server.address() as AddressInfo).port },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(options: TelemetryOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url?.split("?")[0];
  const obstacle = options.obstacle();
  if (path === "/healthz") response.end("ok\n");
  else if (path === "/readyz" && obstacle !== undefined) response.writeHead(503).end(`${obstacle}\n`);
  else if (path === "/readyz") response.end("ok\n");
  else if (path === "/metrics") await sendMetrics(options, response);
  else response.writeHead(404).end("Here are /healthz, /readyz and /metrics.\n");
}

async function sendMetrics(options: TelemetryOptions, response: ServerResponse): Promise<void> {
  const registry = options.metrics();
  const text = (await registry?.metrics()) ?? "";
  response.writeHead(200, { "content-type": registry?.contentType ?? "text/plain; version=0.0.4; charset=utf-8" }).end(text);
}
