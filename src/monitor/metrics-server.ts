import { Readable } from "node:stream";
import { fastify, type FastifyReply } from "fastify";
import type { AddressInfo } from "node:net";
import type { Logger } from "../runtime/logger.ts";
import type { Endpoint } from "../std/endpoint.ts";
import { handshakeTimeout, httpLimits } from "../runtime/server-limits.ts";
import type { Rotating, TlsIdentity } from "../std/rotating.ts";
import { Collections } from "./collections.ts";
import { contentType } from "./exposition.ts";
import { mergeAnswers } from "./merge.ts";
import { scrapeAll, type Fetch, type ScrapeTarget } from "./scrape.ts";

/** What one Monitor serves. */
export interface MonitorTargets {
  /** Present = instead of the pods' labels. */
  readonly metricLabels?: Readonly<Record<string, string>>;
  readonly workloads: readonly ScrapeTarget[];
}

export interface MetricsServerOptions {
  /** Port 0 = any free one. */
  readonly listen: Endpoint;
  readonly certificates: Rotating<TlsIdentity>;
  /** By `namespace/name`; undefined = there is no such Monitor. */
  readonly targets: (monitorKey: string) => MonitorTargets | undefined;
  readonly logger: Logger;
  /** How pods are asked; the global one by default. */
  readonly fetch?: Fetch;
}

export interface MetricsServer {
  readonly address: Endpoint;
  stop(): Promise<void>;
}

/** Prometheus needs one or two a Monitor. The port is open to the whole cluster. */
const maxConnections = 512;
/** Milliseconds for a reader to take the answer: Prometheus has given up long before. */
const sendTimeout = 30_000;

interface MonitorParams {
  readonly namespace: string;
  readonly monitor: string;
}

/**
 * HTTPS: `/metrics/<namespace>/<monitor>` is the text of all pods that the Monitor selects, read anew for each request.
 * Anyone who reaches the port may read it, as with any Prometheus endpoint.
 * @throws when the port is taken or the certificate is not usable.
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { certificates, logger } = options;
  const { key, certificateChain } = certificates.current();
  const server = fastify({
    https: { key, cert: certificateChain, handshakeTimeout, ...httpLimits },
    forceCloseConnections: true,
    requestTimeout: httpLimits.requestTimeout,
    // A Monitor's name may have 253 characters; Fastify's default is 100.
    routerOptions: { maxParamLength: 253 },
  });
  server.server.maxConnections = maxConnections;
  const collections = new Collections();
  server.get<{ Params: MonitorParams }>("/metrics/:namespace/:monitor", (request, reply) => answer(request.params, reply, { ...options, collections }));
  server.setNotFoundHandler((_, reply) =>
    reply.code(404).type("text/plain").send("There is nothing here. A Monitor's metrics are at /metrics/NAMESPACE/MONITOR.\n"),
  );
  await server.listen(options.listen);
  const { port } = server.server.address() as AddressInfo;

  const forget = certificates.onChange(() => {
    const fresh = certificates.current();
    try {
      server.server.setSecureContext({ key: fresh.key, cert: fresh.certificateChain });
    } catch (error) {
      logger.error({ err: error }, "serving certificate is not usable; the last one stays");
    }
  });
  return {
    address: { host: options.listen.host, port },
    async stop() {
      forget();
      await server.close();
    },
  };
}

interface AnswerOptions extends MetricsServerOptions {
  readonly collections: Collections;
}

async function answer({ namespace, monitor }: MonitorParams, reply: FastifyReply, options: AnswerOptions): Promise<FastifyReply> {
  const key = `${namespace}/${monitor}`;
  const targets = options.targets(key);
  if (targets === undefined) {
    const sentence = `There is no Monitor ${namespace}/${monitor}. Apply one, or correct the address: /metrics/NAMESPACE/MONITOR.\n`;
    return reply.code(404).type("text/plain").send(sentence);
  }
  const { fetch: ask = fetch, logger } = options;
  const collection = options.collections.open(key, (budget) => scrapeAll(targets.workloads, targets.metricLabels, { fetch: ask, logger, ...budget }));
  endWith(reply, collection.release);
  return reply.type(contentType).send(Readable.from(mergeAnswers(await collection.answers)));
}

/** Calls `release` when the answer is sent, or its reader is gone; one that does not take it in time is left. */
function endWith({ raw }: FastifyReply, release: () => void): void {
  const timer = setTimeout(() => raw.destroy(), sendTimeout);
  raw.once("close", () => {
    clearTimeout(timer);
    release();
  });
}
