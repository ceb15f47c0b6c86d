/**
 * The webhook as a server: HTTPS for the API server, plain HTTP for Prometheus.
 *
 *   API server ─► /mutate ─► parse ─► facts of the namespace (already here) ─► decide ─► patch ─► AdmissionReview
 */
import { createServer, type Server } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { MeshConfig } from "../src/api/mesh-config.ts";
import type { ObjectSource } from "../src/api/objects.ts";
import type { Logger } from "../src/runtime/logger.ts";
import { httpLimits } from "../src/runtime/server-limits.ts";
import type { Endpoint } from "../src/std/endpoint.ts";
import type { Rotating, TlsIdentity } from "../src/std/rotating.ts";
import { buildApp, tlsOptions } from "./app.ts";
import { createMetrics, type AdmissionMetrics } from "./metrics.ts";

/** The webhook's own certificate, made and rotated by `certs/serving` or mounted by somebody else. */
export interface WebhookIdentity extends TlsIdentity {
  /** PEM: what a client trusts, old and new CA while they overlap. */
  readonly caBundle: string;
  readonly expires: Date;
}

export interface WebhookOptions {
  readonly source: ObjectSource;
  readonly config: () => MeshConfig;
  readonly servingPki: Rotating<WebhookIdentity>;
  readonly listen: Endpoint;
  /** Prometheus; absent = none. */
  readonly telemetry?: Endpoint;
  readonly logger: Logger;
  /** `1.36`: decides on native sidecars when the configuration says `auto`. */
  readonly kubernetesVersion: string;
  /** Milliseconds that a pod of a namespace not yet known may wait; default 0. */
  readonly namespaceWait?: number;
  /** Milliseconds for which it goes on answering after it stopped being ready; default 0. */
  readonly drain?: number;
}

export interface Webhook {
  readonly address: Endpoint;
  readonly telemetry: Endpoint | undefined;
  /** Not ready at once, then drained, then closed. */
  stop(): Promise<void>;
}

/** Starts both servers; rejects when a port is taken, the certificate is unusable or the configuration is. */
export async function startWebhook(options: WebhookOptions): Promise<Webhook> {
  const { source, servingPki, logger } = options;
  const metrics = createMetrics();
  const state = { synced: false, stopping: false };
  void source.synced.then(() => (state.synced = true));
  const app = buildApp({ ...options, metrics, obstacles: () => findObstacles(options, state), namespaceWait: options.namespaceWait ?? 0, tls: servingPki.current() });
  const forget = servingPki.onChange(() => renew(app.server as unknown as HttpsServer, servingPki, logger));
  await app.listen(options.listen);
  const telemetry = options.telemetry === undefined ? undefined : await startTelemetry(options.telemetry, metrics).catch(async (error: unknown) => {
    forget();
    await app.close();
    throw error;
  });
  const address = addressOf(app.server);
  logger.info({ ...address }, "webhook listens");
  return {
    address,
    telemetry: telemetry === undefined ? undefined : addressOf(telemetry),
    async stop() {
      state.stopping = true;
      // Endpoints of a Service take a moment to forget a pod: what still comes in is answered.
      await delay(options.drain ?? 0);
      forget();
      await app.close();
      if (telemetry !== undefined) await closeServer(telemetry);
    },
  };
}

function findObstacles({ servingPki }: WebhookOptions, state: { readonly synced: boolean; readonly stopping: boolean }): string[] {
  return [
    ...(state.synced ? [] : ["the resources are not all listed yet"]),
    ...(state.stopping ? ["the webhook is stopping"] : []),
    ...(servingPki.current().expires.getTime() > Date.now() ? [] : ["the serving certificate has expired"]),
  ];
}

/** New connections get the new certificate; one that does not fit its key throws, and the old one goes on serving. */
function renew(server: HttpsServer, servingPki: Rotating<WebhookIdentity>, logger: Logger): void {
  const current = servingPki.current();
  try {
    server.setSecureContext(tlsOptions(current));
    logger.info({ expires: current.expires.toISOString() }, "serving certificate renewed");
  } catch (err) {
    logger.error({ err }, "new serving certificate cannot be used, the old one stays");
  }
}

async function startTelemetry(endpoint: Endpoint, { registry }: AdmissionMetrics): Promise<Server> {
  const server = createServer(httpLimits, (request, response) => {
    if (request.url?.split("?")[0] !== "/metrics") {
      response.writeHead(404).end("weft: the metrics are at /metrics\n");
      return;
    }
    void registry.metrics().then((text) => response.writeHead(200, { "content-type": registry.contentType }).end(text));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(endpoint.port, endpoint.host, () => resolve());
  });
  return server;
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

function addressOf(server: { address(): AddressInfo | string | null }): Endpoint {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen");
  return { host: address.address, port: address.port };
}
