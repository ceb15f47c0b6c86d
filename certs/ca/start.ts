import type { Server } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../../src/runtime/logger.ts";
import type { Endpoint } from "../../src/std/endpoint.ts";
import { handshakeTimeout, httpLimits } from "../../src/runtime/server-limits.ts";
import type { Authority } from "./authority.ts";
import { buildCaApp, type CaAppOptions } from "./app.ts";
import { startServingCertificate, type ServingMaterial, type ServingNames } from "./serving-certificate.ts";

export interface StartCaOptions extends Omit<CaAppOptions, "now"> {
  /** Port 0 = any free one. */
  readonly listen: Endpoint;
  /** What agents call it by: every name and address must be here. */
  readonly servingNames: ServingNames;
  readonly servingTtlSeconds?: number;
  readonly now?: () => number;
}

export interface CaHandle {
  /** `https://127.0.0.1:15012` */
  readonly address: string;
  readonly stop: () => Promise<void>;
}

const refreshInterval = 60_000;

/** Serves the CA over HTTPS with a certificate of its own making, and keeps both that and the authority fresh. */
export async function startCa(options: StartCaOptions): Promise<CaHandle> {
  const end = new AbortController();
  const ttl = options.servingTtlSeconds === undefined ? {} : { ttlSeconds: options.servingTtlSeconds };
  const serving = await startServingCertificate(options.authority, { names: options.servingNames, logger: options.logger, ...ttl });
  const app = buildCaApp({ now: Date.now, ...options }, { https: { ...secureContext(serving.current()), handshakeTimeout, ...httpLimits } });
  serving.onChange((material) => (app.server as Server).setSecureContext(secureContext(material)));
  try {
    const address = await app.listen(options.listen);
    void refreshForever(options.authority, { logger: options.logger, signal: end.signal });
    return { address, stop };
  } catch (error) {
    serving.stop();
    throw error;
  }

  async function stop(): Promise<void> {
    end.abort();
    serving.stop();
    await app.close();
  }
}

function secureContext(material: ServingMaterial) {
  return { key: material.key, cert: material.certificateChain, minVersion: "TLSv1.3" as const };
}

/** Rotation, ours or another replica's; the store being away is told and survived. */
async function refreshForever(authority: Authority, options: { readonly logger: Logger; readonly signal: AbortSignal }): Promise<void> {
  const { logger, signal } = options;
  while (!signal.aborted) {
    await sleep(refreshInterval, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
    await authority.refresh().catch((err: unknown) => logger.error({ err }, "authority not refreshed"));
  }
}
