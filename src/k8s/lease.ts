import { Type, type Static } from "typebox";
import { checkSchema } from "../api/check-schema.ts";
import type { Logger } from "../runtime/logger.ts";
import { pause } from "./backoff.ts";
import { ApiError, type KubeClient } from "./client.ts";

export interface LeaderElectionOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  /** Of this process, unique among the replicas: the pod's name. */
  readonly identity: string;
  readonly logger: Logger;
  /** Called each time this process becomes the leader; the signal aborts when it is no longer. */
  readonly onLeading: (signal: AbortSignal) => void;
  /** Seconds; default 15, the leader renews after a third of it and gives up after two thirds. */
  readonly leaseSeconds?: number;
}

export interface LeaderElection {
  isLeader(): boolean;
  /** Ends the leading, and gives the lease back so that another can follow at once. */
  stop(): Promise<void>;
}

/**
 * Leader election on a coordination.k8s.io/v1 Lease, by the rules of client-go: whoever holds a lease that was not renewed
 * for its duration, by the observer's own clock, may be replaced; a write with a stale resourceVersion loses.
 */
export function startLeaderElection(options: LeaderElectionOptions): LeaderElection {
  const candidate = new Candidate(options);
  const run = candidate.run();
  return {
    isLeader: () => candidate.leading,
    stop: async () => {
      candidate.end();
      await run;
    },
  };
}

const RawLease = Type.Object({
  metadata: Type.Object({ resourceVersion: Type.String() }),
  spec: Type.Optional(
    Type.Object({
      holderIdentity: Type.Optional(Type.String()),
      leaseDurationSeconds: Type.Optional(Type.Integer()),
      acquireTime: Type.Optional(Type.String()),
      renewTime: Type.Optional(Type.String()),
      leaseTransitions: Type.Optional(Type.Integer()),
    }),
  ),
});
type RawLease = Static<typeof RawLease>;

class Candidate {
  readonly #options: LeaderElectionOptions;
  readonly #seconds: number;
  readonly #ended = new AbortController();
  #term: AbortController | undefined;
  #deadline: NodeJS.Timeout | undefined;
  /** The lease as last seen to change, and when: clocks of other machines are not trusted. */
  #seen = { version: "", at: 0 };

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#seconds = options.leaseSeconds ?? 15;
  }

  get leading(): boolean {
    return this.#term !== undefined;
  }

  end(): void {
    this.#ended.abort();
  }

  async run(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      await this.#try();
      await pause(((this.#seconds * 1000) / 3) * (this.leading ? 1 : 0.7 + Math.random() * 0.6), signal);
    }
    const wasLeading = this.leading;
    this.#stepDown();
    if (wasLeading) await this.#release();
  }

  async #try(): Promise<void> {
    const { logger, name } = this.#options;
    const started = performance.now();
    try {
      if (await this.#acquire()) this.#lead(started);
      else this.#stepDown();
    } catch (err) {
      logger.warn({ err, lease: name }, "cannot renew lease");
    }
  }

  /** Nobody else takes the lease before its duration is over; without a renewal we stop well before that. */
  #lead(renewed: number): void {
    clearTimeout(this.#deadline);
    if (this.#ended.signal.aborted) return;
    this.#deadline = setTimeout(() => this.#stepDown(), Math.max(0, (this.#seconds * 1000 * 2) / 3 - (performance.now() - renewed)));
    if (this.#term !== undefined) return;
    this.#term = new AbortController();
    this.#options.logger.info({ lease: this.#options.name, identity: this.#options.identity }, "leading");
    this.#options.onLeading(this.#term.signal);
  }

  #stepDown(): void {
    clearTimeout(this.#deadline);
    if (this.#term === undefined) return;
    this.#options.logger.info({ lease: this.#options.name, identity: this.#options.identity }, "no longer leading");
    this.#term.abort();
    this.#term = undefined;
  }

  /** Whether the lease is ours now. */
  async #acquire(): Promise<boolean> {
    const lease = await this.#read();
    if (lease === undefined) return await this.#write("POST", undefined, this.#spec(undefined));
    if (this.#isHeldByOther(lease)) return false;
    return await this.#write("PUT", lease.metadata.resourceVersion, this.#spec(lease));
  }

  #isHeldByOther({ metadata, spec = {} }: RawLease): boolean {
    const now = performance.now();
    if (metadata.resourceVersion !== this.#seen.version) this.#seen = { version: metadata.resourceVersion, at: now };
    const { holderIdentity = "", leaseDurationSeconds = this.#seconds } = spec;
    return holderIdentity !== "" && holderIdentity !== this.#options.identity && now - this.#seen.at <= leaseDurationSeconds * 1000;
  }

  #spec(lease: RawLease | undefined): object {
    const now = formatMicroTime();
    const { holderIdentity, acquireTime = now, leaseTransitions = 0 } = lease?.spec ?? {};
    const { identity } = this.#options;
    const same = holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.max(1, Math.ceil(this.#seconds)),
      acquireTime: same ? acquireTime : now,
      renewTime: now,
      leaseTransitions: same || lease === undefined ? leaseTransitions : leaseTransitions + 1,
    };
  }

  async #release(): Promise<void> {
    try {
      const lease = await this.#read();
      if (lease?.spec?.holderIdentity !== this.#options.identity) return;
      await this.#write("PUT", lease.metadata.resourceVersion, { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: formatMicroTime() });
    } catch (err) {
      this.#options.logger.warn({ err, lease: this.#options.name }, "cannot give the lease back; it ends by itself");
    }
  }

  async #read(): Promise<RawLease | undefined> {
    try {
      const lease = checkSchema(RawLease, await this.#options.client.request({ method: "GET", path: this.#path(), signal: this.#limit() }), "");
      if (!lease.ok) throw new Error(`Lease ${this.#options.name} cannot be read: ${lease.faults.join("; ")}`);
      return lease.value;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** false = somebody else was faster. */
  async #write(method: "POST" | "PUT", resourceVersion: string | undefined, spec: object): Promise<boolean> {
    const { client, namespace, name } = this.#options;
    const path = method === "PUT" ? this.#path() : `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
    const body = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { namespace, name, ...(resourceVersion === undefined ? {} : { resourceVersion }) }, spec };
    try {
      await client.request({ method, path, body, signal: this.#limit() });
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) return false;
      throw error;
    }
  }

  #path(): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${this.#options.namespace}/leases/${this.#options.name}`;
  }

  /** An answer that comes after the lease ended is of no use. */
  #limit(): AbortSignal {
    return AbortSignal.timeout((this.#seconds * 1000) / 3);
  }
}

/** MicroTime of Kubernetes: RFC 3339 with six digits. */
function formatMicroTime(): string {
  return new Date().toISOString().replace("Z", "000Z");
}
