import type { Endpoint } from "../../src/std/endpoint.ts";
import { CaClient } from "./ca-client.ts";
import { CertificateKeeper } from "./keep-certificate.ts";
import type { AgentLogger } from "./agent-logger.ts";
import { startHealth, type HealthHandle } from "./health.ts";
import { keepSettings } from "./keep-settings.ts";
import type { HttpProbe } from "./probes.ts";

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
  readonly probes: ReadonlyMap<string, HttpProbe>;
  /** The pod's own address, where its containers listen. */
  readonly podIp: string;
  readonly logger: AgentLogger;
}

/** Starts the certificate agent of one pod. Rejects only when the health server cannot listen. */
export async function startAgent(options: AgentOptions): Promise<HealthHandle> {
  const end = new AbortController();
  const { directory, logger } = options;
  const ca = new CaClient({ url: options.ca, trustBundle: options.trustBundle, token: options.token });
  const keep = { ca, directory, logger, signal: end.signal };
  const keeper = new CertificateKeeper(keep);
  const health = await startHealth({ listen: options.health, isReady: () => keeper.isReady(), admin: options.admin, probes: options.probes, podIp: options.podIp });
  const running = Promise.all([keeper.run(), keepSettings({ ...keep, onSettings: (settings) => keeper.want(settings.subjectNames) })]);
  return { address: health.address, stop };

  async function stop(): Promise<void> {
    end.abort();
    ca.close();
    await Promise.all([running, health.stop()]);
  }
}
