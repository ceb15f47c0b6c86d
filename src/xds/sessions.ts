import { X509Certificate } from "node:crypto";
import { status } from "@grpc/grpc-js";
import type { Logger } from "../runtime/logger.ts";
import type { ResourceSet } from "../std/resource-set.ts";
import { viewOf, type ProxyView } from "./cache.ts";
import { trackConvergence, type Convergence } from "./convergence.ts";
import { encodeResources } from "./encode.ts";
import { urisOf } from "./peer-identity.ts";
import { Session, type AdsCall, type Admission, type SessionHost } from "./session.ts";
import type { Outcome } from "./stream.ts";

export type ProxyOutcome = Outcome & { readonly proxy: string };

export interface SessionsOptions {
  /** Whether the certificate with these URI names may be this node; `proxy` is the key that `resources` is asked for. */
  readonly authorize: (nodeId: string, spiffeIds: readonly string[]) => Admission;
  /** undefined = not known: the proxy keeps what it has. The same object as before = nothing changed. */
  readonly resources: (proxy: string) => ResourceSet | undefined;
  readonly onOutcome?: (outcome: ProxyOutcome) => void;
  readonly onConverged?: (convergence: Convergence) => void;
  /** A proxy's first stream began, or its last one ended. */
  readonly onConnection?: (proxy: string, connected: boolean) => void;
  readonly logger: Logger;
}

export interface PublishOptions {
  /** Default: all that are connected. */
  readonly proxies?: ReadonlySet<string>;
  /** When the change was seen, by `performance.now()`; default now. */
  readonly changedAt?: number;
}

/** Streams of one proxy; an Envoy has one, and a second while it reconnects or restarts hot. The oldest gives way. */
const maxStreams = 4;
/** With those that were ended, and of which the client has not read the end. */
const maxCalls = 8;

/** Proxies looked at before the event loop serves others. */
const batchSize = 64;

/** All open streams, and the views that those of one proxy share. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #open = new Set<Session>();
  readonly #byProxy = new Map<string, Set<Session>>();
  readonly #views = new Map<string, { readonly set: ResourceSet; readonly view: ProxyView }>();
  /** How many calls of each proxy hold anything. */
  readonly #calls = new Map<string, number>();
  /** To be looked at again. */
  readonly #dirty = new Set<Session>();
  readonly #convergence;
  #drain: NodeJS.Immediate | undefined;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#convergence = trackConvergence<Session>(
      () => performance.now(),
      (convergence) => options.onConverged?.(convergence),
    );
  }

  open(call: AdsCall): void {
    const session = new Session(call, this.#host(peerUris(call)));
    this.#open.add(session);
    session.start();
  }

  publish({ proxies = new Set(this.#byProxy.keys()), changedAt = performance.now() }: PublishOptions = {}): void {
    const concerned = [...proxies].flatMap((proxy) => [...(this.#byProxy.get(proxy) ?? [])]);
    this.#convergence.begin(concerned, changedAt);
    for (const session of concerned) this.#dirty.add(session);
    this.#drain ??= setImmediate(() => this.#refreshBatch());
  }

  connected(): readonly string[] {
    return [...this.#byProxy.keys()].sort();
  }

  lastConvergence(): Convergence | undefined {
    return this.#convergence.last();
  }

  openPublishes(): number {
    return this.#convergence.open();
  }

  closeAll(): void {
    if (this.#drain !== undefined) clearImmediate(this.#drain);
    for (const session of this.#open) session.close(status.UNAVAILABLE, "the controller is stopping");
  }

  #host(spiffeIds: readonly string[]): SessionHost {
    return {
      admit: (nodeId) => this.#admit(nodeId, spiffeIds),
      viewOf: (proxy) => this.#viewOf(proxy),
      onAdmitted: (session) => this.#onAdmitted(session),
      onOutcome: (session, outcome) => this.#onOutcome(session, outcome),
      onTold: (session) => this.#convergence.told(session),
      onSettled: (session) => {
        if (!this.#dirty.has(session)) this.#convergence.settled(session);
      },
      onClosed: (session, reason) => this.#onClosed(session, reason),
      onEnded: (session) => this.#onEnded(session),
    };
  }

  /** In batches, so that a push to thousands does not keep the acknowledgements of the first waiting. */
  #refreshBatch(): void {
    this.#drain = undefined;
    let left = batchSize;
    for (const session of this.#dirty) {
      if (left-- === 0) break;
      this.#dirty.delete(session);
      session.refresh();
    }
    if (this.#dirty.size > 0) this.#drain = setImmediate(() => this.#refreshBatch());
  }

  /** Made again only when the proxy's resources are another object. */
  #viewOf(proxy: string): ProxyView | undefined {
    const known = this.#views.get(proxy);
    const set = this.#options.resources(proxy);
    // A proxy that is no longer known keeps what it has: taking everything away helps nobody.
    if (set === undefined || set === known?.set) return known?.view;
    const { view, failures } = viewOf(set, encodeResources, known?.view);
    this.#views.set(proxy, { set, view });
    for (const { type, name, sentence } of failures) {
      this.#options.logger.error({ proxy, type, resource: name, reason: sentence }, "resource cannot be encoded; its last good one stays");
      this.#options.onOutcome?.({ kind: "refused", proxy, type, names: [name], sentence });
    }
    return view;
  }

  #admit(nodeId: string, spiffeIds: readonly string[]): Admission {
    const admission = this.#options.authorize(nodeId, spiffeIds);
    if (!admission.ok || (this.#calls.get(admission.proxy) ?? 0) < maxCalls) return admission;
    return { ok: false, reason: `${admission.proxy} has ${maxCalls} streams that it does not read` };
  }

  #onAdmitted(session: Session): void {
    const { proxy } = session;
    this.#calls.set(proxy, (this.#calls.get(proxy) ?? 0) + 1);
    const sessions = this.#byProxy.get(proxy);
    if (sessions !== undefined) {
      const [oldest] = sessions.add(session);
      if (sessions.size > maxStreams) oldest?.close(status.RESOURCE_EXHAUSTED, `the proxy has opened ${maxStreams} newer streams`);
      return;
    }
    this.#byProxy.set(proxy, new Set([session]));
    this.#options.onConnection?.(proxy, true);
  }

  #onOutcome(session: Session, outcome: Outcome): void {
    const { proxy } = session;
    if (outcome.kind === "refused") {
      this.#convergence.refused(session);
      this.#options.logger.warn({ proxy, type: outcome.type, resources: outcome.names, reason: outcome.sentence }, "configuration refused");
    }
    this.#options.onOutcome?.({ ...outcome, proxy });
  }

  #onClosed(session: Session, reason: string | undefined): void {
    const { proxy } = session;
    this.#open.delete(session);
    this.#dirty.delete(session);
    this.#convergence.settled(session);
    if (reason !== undefined) this.#options.logger.warn({ proxy, reason }, "stream closed");
    const sessions = this.#byProxy.get(proxy);
    if (!sessions?.delete(session) || sessions.size > 0) return;
    this.#byProxy.delete(proxy);
    this.#views.delete(proxy);
    this.#options.onConnection?.(proxy, false);
  }

  #onEnded({ proxy }: Session): void {
    const left = (this.#calls.get(proxy) ?? 0) - 1;
    if (left > 0) this.#calls.set(proxy, left);
    else this.#calls.delete(proxy);
  }
}

function peerUris(call: AdsCall): readonly string[] {
  const raw = call.getAuthContext().sslPeerCertificate?.raw;
  return raw === undefined ? [] : urisOf(new X509Certificate(raw).subjectAltName);
}
