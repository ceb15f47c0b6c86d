import { X509Certificate } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../../src/runtime/logger.ts";
import type { KeyStore } from "../../src/std/key-store.ts";
import type { Rotating, TlsIdentity } from "../../src/std/rotating.ts";
import type { ServingCertificateNames } from "./forge-certificates.ts";
import { createServingState, formatServingState, parseServingState, rotateServing, type ServingState } from "./serving-state.ts";

export interface ServingPkiMaterial extends TlsIdentity {
  /** PEM: what clients must trust; holds the old and the new authority during a rotation. */
  readonly caBundle: string;
  readonly expires: Date;
}

export interface ServingPki extends Rotating<ServingPkiMaterial> {
  /** Reads what another replica stored, and rotates what is due. Rejects when the store is away or broken; the present material stays. */
  readonly refresh: () => Promise<void>;
  /** Called after each change, of the certificate or of the bundle; returns what ends it. */
  readonly onChange: (listener: (material: ServingPkiMaterial) => void) => () => void;
}

export interface ServingPkiOptions extends ServingCertificateNames {
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * The webhook's own small PKI, kept in `store` and shared by its replicas: opened, or made when there is none. Separate
 * from the mesh's, because the API server is its only client. Throws when what is stored is broken, naming the entry.
 */
export async function openServingPki(store: KeyStore, options: ServingPkiOptions): Promise<ServingPki> {
  const listeners = new Set<(material: ServingPkiMaterial) => void>();
  let state = await readOrCreate(store, options);
  await refresh();
  return {
    current: () => materialOf(state),
    refresh,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };

  async function refresh(): Promise<void> {
    const stored = await store.read();
    if (stored === undefined) await store.create(formatServingState(state));
    const current = stored === undefined ? state : parseServingState(stored);
    const next = await rotateServing(current, options, options.now());
    if (next !== current) await store.write(formatServingState(next));
    const isChanged = JSON.stringify(materialOf(next)) !== JSON.stringify(materialOf(state));
    state = next;
    if (isChanged) for (const listener of listeners) listener(materialOf(next));
  }
}

async function readOrCreate(store: KeyStore, options: ServingPkiOptions): Promise<ServingState> {
  const stored = await store.read();
  if (stored !== undefined) return parseServingState(stored);
  const fresh = await createServingState(options, options.now());
  if ((await store.create(formatServingState(fresh))) === "created") return fresh;
  const winner = await store.read();
  if (winner === undefined) throw new Error("The webhook's key store said that keys exist and then had none; try again.");
  return parseServingState(winner);
}

function materialOf(state: ServingState): ServingPkiMaterial {
  const { key, certificate } = state.leaf;
  return { key, certificateChain: certificate, caBundle: state.caBundle, expires: new X509Certificate(certificate).validToDate };
}

export interface StartServingPkiOptions extends ServingCertificateNames {
  readonly logger: Logger;
  readonly now?: () => number;
  /** How often the store is read and what is due is rotated; default 5 minutes. */
  readonly refreshSeconds?: number;
}

export interface ServingPkiHandle extends Pick<ServingPki, "current" | "onChange"> {
  readonly stop: () => void;
}

/** {@link openServingPki}, kept fresh until `stop`. A store that is away is told and survived. */
export async function startServingPki(store: KeyStore, options: StartServingPkiOptions): Promise<ServingPkiHandle> {
  const end = new AbortController();
  const { dnsNames, ips, now = Date.now, logger, refreshSeconds = 300 } = options;
  const pki = await openServingPki(store, { dnsNames, ips, now });
  void refreshForever();
  return { current: pki.current, onChange: pki.onChange, stop: () => end.abort() };

  async function refreshForever(): Promise<void> {
    while (!end.signal.aborted) {
      await sleep(refreshSeconds * 1000, undefined, { signal: end.signal, ref: false }).catch(() => undefined);
      if (end.signal.aborted) return;
      await pki.refresh().catch((err: unknown) => logger.error({ err }, "serving certificate not refreshed"));
    }
  }
}
