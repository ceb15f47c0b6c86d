import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../../src/runtime/logger.ts";
import type { Rotating, TlsIdentity } from "../../src/std/rotating.ts";
import type { Authority, Issued } from "./authority.ts";
import { createKeyPair } from "./signing-key.ts";

export interface ServingNames {
  readonly dns: readonly string[];
  readonly ips: readonly string[];
}

export interface ServingMaterial extends TlsIdentity {
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface ServingCertificate extends Rotating<ServingMaterial> {
  /** Called with each new certificate; returns what ends it. */
  readonly onChange: (listener: (material: ServingMaterial) => void) => () => void;
  readonly stop: () => void;
}

export interface ServingOptions {
  readonly names: ServingNames;
  readonly logger: Logger;
  /** Default one day, the longest there is. */
  readonly ttlSeconds?: number;
}

const day = 86_400;
const retry = 10_000;
/** Timers of Node hold 24 days, and a clock that jumps should be noticed before. */
const longestSleep = 60_000;

/**
 * The certificate of an endpoint of the control plane (CA, ADS, metrics server), with a fresh key each time, renewed
 * while it is in use. Rejects when the first one cannot be issued; later failures are logged and tried again.
 */
export async function startServingCertificate(authority: Authority, options: ServingOptions): Promise<ServingCertificate> {
  const end = new AbortController();
  const listeners = new Set<(material: ServingMaterial) => void>();
  let { material, issued } = await issueServing(authority, options);
  void renewForever();
  return {
    current: () => material,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: () => end.abort(),
  };

  async function renewForever(): Promise<void> {
    while (await isStillOn(issued.renewAt, end.signal)) {
      try {
        ({ material, issued } = await issueServing(authority, options));
        for (const listener of listeners) listener(material);
      } catch (err) {
        options.logger.error({ err, names: options.names.dns }, "serving certificate not renewed");
        issued = { ...issued, renewAt: Date.now() + retry };
      }
    }
  }
}

async function issueServing(authority: Authority, options: ServingOptions): Promise<{ material: ServingMaterial; issued: Issued }> {
  const keys = createKeyPair();
  const { dns: dnsNames, ips } = options.names;
  const issued = await authority.issueServing({ publicKey: keys.publicKey, dnsNames, ips, ttlSeconds: options.ttlSeconds ?? day });
  return { material: { key: keys.privateKey, certificateChain: issued.certificateChain, expiresAt: issued.expiresAt }, issued };
}

/** Waits until `time`; false when stopped before. */
async function isStillOn(time: number, signal: AbortSignal): Promise<boolean> {
  while (Date.now() < time && !signal.aborted) {
    await sleep(Math.min(Math.max(time - Date.now(), 0), longestSleep), undefined, { signal, ref: false }).catch(() => undefined);
  }
  return !signal.aborted;
}
