import type { KeyStore } from "../../src/std/key-store.ts";
import { renewal } from "../../src/std/renewal.ts";
import { formatBundle } from "../x509/pem.ts";
import { createServingLeaf, createWorkloadLeaf, type Signer, type Validity } from "../x509/profiles.ts";
import { leafValidity } from "../x509/validity.ts";
import { createState, formatState, parseState, rotate, type AuthorityState } from "./authority-state.ts";
import { createSerial } from "./signing-key.ts";

export interface WorkloadLeafRequest {
  /** SubjectPublicKeyInfo, DER; whoever sends it has proved to hold the private key. */
  readonly publicKey: Uint8Array;
  /** SPIFFE id; the one URI name. */
  readonly identity: string;
  readonly dnsNames: readonly string[];
  /** Clamped to 24 h, backdating counted, and to the issuer's own life. */
  readonly ttlSeconds: number;
}

export interface ServingLeafRequest {
  readonly publicKey: Uint8Array;
  readonly dnsNames: readonly string[];
  readonly ips: readonly string[];
  readonly ttlSeconds: number;
}

/** Times in milliseconds since 1970. */
export interface Issued {
  /** PEM: leaf, issuer. */
  readonly certificateChain: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly renewAt: number;
}

/** Root and issuer of the mesh. */
export interface Authority {
  /** Throws when the issuer has expired or ends within the minute (its root's key is offline): nothing short-lived is made silently. */
  issueWorkload(request: WorkloadLeafRequest): Promise<Issued>;
  issueServing(request: ServingLeafRequest): Promise<Issued>;
  /** PEM of all roots to trust now; two during a rotation. */
  trustBundle(): string;
  /** Reads what another replica stored and rotates what is due. Rejects when the store is away or broken; the last good state stays. */
  refresh(): Promise<void>;
  /** Called after each change of the trust bundle or the issuer; returns what ends it. */
  onChange(listener: () => void): () => void;
}

export interface AuthorityOptions {
  readonly trustDomain: string;
  readonly now: () => number;
}

/**
 * Opens the authority kept in `store`, or makes it: with several replicas one creates and the others read. Throws when
 * what is stored is broken, naming the entry.
 */
export async function openAuthority(store: KeyStore, options: AuthorityOptions): Promise<Authority> {
  const authority = new StoredAuthority(store, options, await readOrCreate(store, options));
  await authority.refresh();
  return authority;
}

async function readOrCreate(store: KeyStore, options: AuthorityOptions): Promise<AuthorityState> {
  const stored = await store.read();
  if (stored !== undefined) return parseState(stored);
  const fresh = await createState({ trustDomain: options.trustDomain, now: options.now() });
  if ((await store.create(formatState(fresh))) === "created") return fresh;
  const winner = await store.read();
  if (winner === undefined) throw new Error("The authority's store said that keys exist and then had none; try again.");
  return parseState(winner);
}

const minute = 60_000;

class StoredAuthority implements Authority {
  readonly #store: KeyStore;
  readonly #options: AuthorityOptions;
  readonly #listeners = new Set<() => void>();
  #state: AuthorityState;

  constructor(store: KeyStore, options: AuthorityOptions, state: AuthorityState) {
    this.#store = store;
    this.#options = options;
    this.#state = state;
  }

  issueWorkload(request: WorkloadLeafRequest): Promise<Issued> {
    return this.#issue(request.ttlSeconds, (leaf, issuer) => createWorkloadLeaf({ ...leaf, ...request }, issuer));
  }

  issueServing(request: ServingLeafRequest): Promise<Issued> {
    return this.#issue(request.ttlSeconds, (leaf, issuer) => createServingLeaf({ ...leaf, ...request }, issuer));
  }

  trustBundle(): string {
    return formatBundle(this.#state.roots);
  }

  async refresh(): Promise<void> {
    const stored = await this.#store.read();
    // A store that was emptied gets back what we have: losing the root would cut every proxy off.
    if (stored === undefined) await this.#store.create(formatState(this.#state));
    const current = stored === undefined ? this.#state : parseState(stored);
    const next = await rotate(current, { trustDomain: this.#options.trustDomain, now: this.#options.now() });
    if (next !== current) await this.#store.write(formatState(next));
    this.#adopt(next);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #adopt(state: AuthorityState): void {
    const isChanged = state.issuer.certificate !== this.#state.issuer.certificate || formatBundle(state.roots) !== this.trustBundle();
    this.#state = state;
    if (isChanged) for (const listener of this.#listeners) listener();
  }

  async #issue(ttlSeconds: number, create: (leaf: { serial: string; validity: Validity }, issuer: Signer) => Promise<string>): Promise<Issued> {
    const { issuer } = this.#state;
    const now = this.#options.now();
    if (issuer.key === undefined || issuer.validity.notAfter < now + minute) throw new Error("The authority's issuer has expired; store a new issuer.crt and issuer.key, signed by the root.");
    const validity = leafValidity({ now, ttlSeconds, signer: issuer.validity });
    const leaf = await create({ serial: createSerial(), validity }, { certificate: issuer.certificate, key: issuer.key.signing });
    const due = renewal({ issuedAt: now, expiresAt: validity.notAfter }, now, Math.random());
    return {
      certificateChain: leaf + issuer.certificate,
      issuedAt: now,
      expiresAt: validity.notAfter,
      renewAt: due.kind === "wait" ? due.until : now,
    };
  }
}
