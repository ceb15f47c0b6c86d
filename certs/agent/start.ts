import type { Endpoint } from "../../src/std/endpoint.ts";
import { CaClient } from "./ca-client.ts";
import { CertificateKeeper } from "./keep-certificate.ts";
import type { AgentLogger } from "./agent-logger.ts";
import { startHealth } from "./health.ts";
import { keepSettings } from "./keep-settings.ts";
import { Pause } from "./pause.ts";
import type { Probe } from "./probes.ts";
import { ProxyAdmin, quitLocal } from "./proxy-admin.ts";

export interface AgentOptions {
  /** `https://HOST:PORT` of the CA. */
  readonly ca: string;
  /** PEM file of the roots by which the CA is known; read again for each call. */
  readonly trustBundle: string;
  /** File of the bearer token; read again for each call, because the kubelet rotates it. */
  readonly token: string;
  /** The run directory, shared with proxy and adapter: `certs/` and `settings.json` are written there. */
  readonly directory: string;
  readonly health: Endpoint;
  /** Envoy's admin interface, `http://127.0.0.1:15000`. */
  readonly admin: string;
  readonly probes: ReadonlyMap<string, Probe>;
  /** The pod's own address, where its containers listen. */
  readonly podIp: string;
  /** The sidecars are ordinary containers; undefined where the kubelet starts and ends them in order. */
  readonly ordinary?: OrdinaryOptions | undefined;
  readonly logger: AgentLogger;
}

/** Ordinary containers are all told to end at once, and none is told that the others have ended. */
export interface OrdinaryOptions {
  /** For as long the proxy outlives the application. */
  readonly drainSeconds: number;
  /** The adapter's HTTP server, `http://127.0.0.1:15090`. */
  readonly adapter: string;
}

export interface AgentHandle {
  /** `127.0.0.1:15020` */
  readonly address: string;
  /** Resolves when the pod asked its sidecars to end: the process is to end with code 0. */
  readonly quit: Promise<void>;
  /** Call it when the process is told to end, before `stop`: resolves when nothing of the pod needs the agent any more. */
  readonly drain: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Starts the certificate agent of one pod. Rejects only when the health server cannot listen. */
export async function startAgent(options: AgentOptions): Promise<AgentHandle> {
  const end = new AbortController();
  const quit = Promise.withResolvers<void>();
  const { directory, logger, ordinary } = options;
  const proxy = new ProxyAdmin(options.admin);
  const ca = new CaClient({ url: options.ca, trustBundle: options.trustBundle, token: options.token });
  const keep = { ca, directory, logger, signal: end.signal };
  const keeper = new CertificateKeeper(keep);
  const health = await startHealth({
    listen: options.health,
    isReady: () => keeper.isReady(),
    proxy,
    probes: options.probes,
    podIp: options.podIp,
    quit: ordinary === undefined ? undefined : { others: () => quitOthers(ordinary), self: quit.resolve },
    logger,
  });
  const running = Promise.all([keeper.run(), keepSettings({ ...keep, onSettings: (settings) => keeper.want(settings.subjectNames) })]);
  return { address: health.address, quit: quit.promise, drain, stop };

  async function quitOthers({ adapter }: OrdinaryOptions): Promise<void> {
    await proxy.quit();
    await quitLocal(new URL("/quitquitquit", adapter));
  }

  async function drain(): Promise<void> {
    if (ordinary === undefined) return;
    const latest = Date.now() + ordinary.drainSeconds * 1000 + lateProxy;
    await proxy.drainInbound().catch((err: unknown) => logger.warn({ err }, "the proxy was not told to drain"));
    while (Date.now() < latest && (health.hooks() > 0 || !(await proxy.isGone()))) await new Pause().until(Date.now() + drainLook, end.signal);
  }

  async function stop(): Promise<void> {
    end.abort();
    ca.close();
    await Promise.all([running, health.stop()]);
  }
}

/** How long after its time a proxy may still be there. */
const lateProxy = 5000;
const drainLook = 250;
