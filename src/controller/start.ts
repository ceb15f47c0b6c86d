/**
 * The controller: the pipeline from objects to proxies, the certificate authority and the metrics server, in one process.
 *
 *   source ─► pipeline ─► snapshot ─┬─► resources ─► delta ADS
 *                                   ├─► workloads, settings ─► CA
 *                                   └─► targets ─► metrics server
 */
import { openAuthority } from "../../certs/ca/authority.ts";
import type { Authenticate } from "../../certs/ca/embedded-tokens.ts";
import { startServingCertificate, type ServingCertificate, type ServingNames } from "../../certs/ca/serving-certificate.ts";
import { startCa } from "../../certs/ca/start.ts";
import { startMetricsServer } from "../monitor/metrics-server.ts";
import type { Logger } from "../runtime/logger.ts";
import { formatEndpoint, type Endpoint } from "../std/endpoint.ts";
import type { KeyStore } from "../std/key-store.ts";
import type { Problem } from "../std/problem.ts";
import type { Rotating } from "../std/rotating.ts";
import { startXdsServer, type XdsServer } from "../xds/server.ts";
import { authorizeNode } from "./authorize-node.ts";
import { createControllerMetrics, type ControllerMetrics } from "./metrics.ts";
import { monitorTargets } from "./monitor-targets.ts";
import { startPipeline, type Pipeline, type PipelineOptions } from "./pipeline.ts";
import { createRefusals, type Refusals } from "./refusals.ts";
import { startMonitorStatus, type WriteStatus } from "./status.ts";
import { workloadSettings } from "./workload-settings.ts";

export interface ControllerOptions extends PipelineOptions {
  readonly authorityStore: KeyStore;
  readonly authenticate: Authenticate;
  readonly listen: { readonly xds: Endpoint; readonly ca: Endpoint; readonly metrics: Endpoint };
  /** What clients call the three by. */
  readonly servingNames: ServingNames;
  /** Keeps the roots where this process alone writes them: called at the start and after each change. */
  readonly writeTrustBundle?: (pem: string) => Promise<unknown>;
  /** Given = this process alone writes statuses; with several, the leader calls {@link startMonitorStatus} instead. */
  readonly writeStatus?: WriteStatus;
}

export interface Controller {
  /** `HOST:PORT` of delta ADS, URLs of the others. */
  readonly addresses: { readonly xds: string; readonly ca: string; readonly metrics: string };
  readonly pipeline: Pipeline;
  readonly xds: XdsServer;
  /** PEM of the roots. */
  readonly trustBundle: Rotating<string>;
  readonly metrics: ControllerMetrics;
  /** Of objects, and what proxies refused. */
  problems(): readonly Problem[];
  stop(): Promise<void>;
}

type Stop = () => unknown;

/** Resolves when all three serve; rejects when the authority cannot be opened or a port is taken, with nothing left running. */
export async function startController(options: ControllerOptions): Promise<Controller> {
  const stops: Stop[] = [];
  async function stop(): Promise<void> {
    for (const end of stops.splice(0).reverse()) await end();
  }
  try {
    return { ...(await startParts(options, stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What has to be ended is put on `stops`, oldest first. */
async function startParts(options: ControllerOptions, stops: Stop[]): Promise<Omit<Controller, "stop">> {
  const { config, logger } = options;
  const authority = await openAuthority(options.authorityStore, { trustDomain: config().trustDomain, now: Date.now });
  const trustBundle: Rotating<string> = { current: () => authority.trustBundle(), onChange: (listener) => authority.onChange(listener) };
  if (options.writeTrustBundle !== undefined) stops.push(await keepTrustBundle(trustBundle, options.writeTrustBundle, logger));
  const pipeline = await startPipeline(options);
  stops.push(() => pipeline.stop());
  const serving = await startServingCertificate(authority, { names: options.servingNames, logger });
  stops.push(() => serving.stop());
  const ca = await startCa({ ...caOptions(options, pipeline), authority });
  stops.push(() => ca.stop());
  const refusals = createRefusals();
  const metrics = createControllerMetrics({ connected: () => xds.connected().length, problems });
  const xds = await openXds({ options, pipeline, serving, trustBundle, refusals, metrics });
  stops.push(() => xds.stop());
  const metricsServer = await openMetricsServer({ options, pipeline, serving });
  stops.push(() => metricsServer.stop());
  stops.push(pipeline.onPublish((publication) => {
    metrics.published(publication);
    xds.publish({ changedAt: publication.changedAt });
  }));
  const addresses = { xds: xds.address, ca: ca.address, metrics: `https://${formatEndpoint(metricsServer.address)}` };
  stops.push(keepStatus(options, pipeline, addresses.metrics));
  function problems(): readonly Problem[] {
    return [...pipeline.current().problems, ...refusals.problems()];
  }
  return { addresses, pipeline, xds, trustBundle, metrics, problems };
}

async function keepTrustBundle(bundle: Rotating<string>, write: (pem: string) => Promise<unknown>, logger: Logger): Promise<Stop> {
  await write(bundle.current());
  return bundle.onChange(() => {
    write(bundle.current()).catch((err: unknown) => logger.error({ err }, "trust bundle not written"));
  });
}

/** Where it listens on all addresses, only the configuration knows by which one it is reached. */
function keepStatus({ source, writeStatus, config, logger, listen }: ControllerOptions, pipeline: Pipeline, url: string): Stop {
  if (writeStatus === undefined) return () => undefined;
  const isAny = listen.metrics.host === "0.0.0.0" || listen.metrics.host === "::";
  return startMonitorStatus({ pipeline, source, writeStatus, logger, metricsServer: () => (isAny ? config().controlPlane.metrics : url) });
}

function caOptions(options: ControllerOptions, pipeline: Pipeline) {
  const { authenticate, logger, servingNames, listen, config } = options;
  return {
    authenticate,
    logger,
    servingNames,
    listen: listen.ca,
    workload: (key: string) => pipeline.current().snapshot.workloads.get(key),
    settings: (key: string) => workloadSettings(pipeline.current().snapshot, key),
    onChange: (listener: () => void) => pipeline.onPublish(listener),
    ttlSeconds: () => config().certificates.ttl,
  };
}

interface Parts {
  readonly options: ControllerOptions;
  readonly pipeline: Pipeline;
  readonly serving: ServingCertificate;
}

interface XdsParts extends Parts {
  readonly trustBundle: Rotating<string>;
  readonly refusals: Refusals;
  readonly metrics: ControllerMetrics;
}

function openXds({ options, pipeline, serving, trustBundle, refusals, metrics }: XdsParts): Promise<XdsServer> {
  const { logger, listen } = options;
  return startXdsServer({
    listen: formatEndpoint(listen.xds),
    credentials: serving,
    trustBundle,
    authorize: (nodeId, spiffeIds) => authorizeNode(pipeline.current().snapshot, nodeId, spiffeIds),
    resources: (proxy) => pipeline.current().resources(proxy),
    onOutcome: (outcome) => {
      metrics.outcome(outcome);
      refusals.record(outcome);
    },
    onConverged: (convergence) => {
      metrics.converged(convergence);
      logger.info({ ...convergence }, "configuration acknowledged by all proxies");
    },
    onConnection: (proxy, connected) => {
      if (!connected) refusals.forget(proxy);
    },
    logger,
  });
}

function openMetricsServer({ options, pipeline, serving }: Parts) {
  return startMetricsServer({
    listen: options.listen.metrics,
    certificates: serving,
    targets: (key) => monitorTargets(pipeline.current().snapshot, key),
    logger: options.logger,
  });
}
