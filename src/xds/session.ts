/** One delta ADS stream: the state machine of `stream.ts` on a gRPC call. */
import { status, type ServerDuplexStream } from "@grpc/grpc-js";
import type { DeltaDiscoveryRequest } from "../gen/envoy/service/discovery/v3/discovery_pb.js";
import type { ProxyView } from "./cache.ts";
import { typeOfUrl } from "./encode.ts";
import { RequestBudget } from "./request-budget.ts";
import { initialState, step, type Outcome, type StepResult, type StreamEvent } from "./stream.ts";
import { encodeResponse, readRequest } from "./wire.ts";

export type AdsCall = ServerDuplexStream<DeltaDiscoveryRequest, Buffer>;

/** The proxy that a stream belongs to, or why it may not be served. */
export type Admission = { readonly ok: true; readonly proxy: string } | { readonly ok: false; readonly reason: string };

/** Messages that wait because the client does not read; a proxy that is only slow has one or two. */
const maxUnread = 8;
/** Ours have at most some 350 characters; 50,000 of any length would fill the memory. */
const maxNameLength = 1_024;

/** What a session asks of, and tells, the one who opened it. */
export interface SessionHost {
  admit(nodeId: string): Admission;
  /** What the proxy shall have now; undefined = not known yet. */
  viewOf(proxy: string): ProxyView | undefined;
  onAdmitted(session: Session): void;
  onOutcome(session: Session, outcome: Outcome): void;
  /** A response was sent. */
  onTold(session: Session): void;
  /** Everything was answered. */
  onSettled(session: Session): void;
  /** Called once; `reason` is undefined when the client left. */
  onClosed(session: Session, reason: string | undefined): void;
  /** Called once, after that: the call holds nothing any more. A client that does not read delays it. */
  onEnded(session: Session): void;
}

/** Milliseconds: for the first request, for an answer (as Envoy's own initial_fetch_timeout), of quiet before removals. */
const waits = { first: 10_000, answer: 15_000, quiet: 100 } as const;

export class Session {
  readonly #call: AdsCall;
  readonly #host: SessionHost;
  readonly #budget = new RequestBudget(performance.now());
  #state = initialState;
  #nodeId = "";
  #proxy = "";
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(call: AdsCall, host: SessionHost) {
    this.#call = call;
    this.#host = host;
  }

  start(): void {
    this.#timer = setTimeout(() => this.close(status.DEADLINE_EXCEEDED, "no first request"), waits.first);
    this.#call.on("data", (message: DeltaDiscoveryRequest) => this.#onMessage(message));
    // grpc-js emits it also when the status has gone out, which is after all that was written.
    this.#call.once("cancelled", () => {
      this.#leave(undefined);
      this.#host.onEnded(this);
    });
    this.#call.on("error", () => this.#leave(undefined));
    this.#call.on("end", () => {
      this.#leave(undefined);
      this.#call.end();
    });
  }

  /** Empty until the first request was admitted. */
  get proxy(): string {
    return this.#proxy;
  }

  /** Looks again at what the proxy shall have. */
  refresh(): void {
    if (!this.#closed && this.#proxy !== "") this.#apply({ kind: "view", view: this.#host.viewOf(this.#proxy) });
  }

  close(code: status, reason: string): void {
    if (this.#closed) return;
    this.#leave(reason);
    this.#call.emit("error", { code, details: reason });
  }

  #leave(reason: string | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#host.onClosed(this, reason);
  }

  #onMessage(message: DeltaDiscoveryRequest): void {
    if (this.#closed) return;
    const refused = this.#checkSize(message) ?? (this.#nodeId === "" ? this.#admit(message) : this.#checkNode(message));
    if (refused !== undefined) return this.close(refused.code, refused.reason);
    const type = typeOfUrl(message.typeUrl);
    if (type === undefined) return this.close(status.INVALID_ARGUMENT, `weft does not serve the type '${message.typeUrl.slice(0, 200)}'`);
    this.#apply({ kind: "request", request: readRequest(message, type) });
  }

  #checkSize(message: DeltaDiscoveryRequest): Refusal | undefined {
    const { resourceNamesSubscribe, resourceNamesUnsubscribe, initialResourceVersions } = message;
    if (!this.#budget.take(performance.now())) return { code: status.RESOURCE_EXHAUSTED, reason: "more requests than a proxy has reason to send" };
    const names = [resourceNamesSubscribe, resourceNamesUnsubscribe, Object.keys(initialResourceVersions)];
    if (!names.some((each) => each.some((name) => name.length > maxNameLength))) return undefined;
    return { code: status.INVALID_ARGUMENT, reason: `a resource name is longer than ${maxNameLength} characters` };
  }

  #admit(message: DeltaDiscoveryRequest): Refusal | undefined {
    const id = message.node?.id ?? "";
    if (id === "") return { code: status.INVALID_ARGUMENT, reason: "the first request has no node id; start Envoy with --service-node NAMESPACE/POD" };
    const admission = this.#host.admit(id);
    if (!admission.ok) return { code: status.PERMISSION_DENIED, reason: admission.reason };
    this.#nodeId = id;
    this.#proxy = admission.proxy;
    this.#host.onAdmitted(this);
    this.refresh();
    return undefined;
  }

  /** Only the first request of a stream has to carry the node; another id later would be another proxy. */
  #checkNode(message: DeltaDiscoveryRequest): Refusal | undefined {
    const id = message.node?.id ?? "";
    if (id === "" || id === this.#nodeId) return undefined;
    return { code: status.PERMISSION_DENIED, reason: `the node id changed within the stream from ${this.#nodeId}` };
  }

  #apply(event: StreamEvent): void {
    const { state, responses, outcome, wait, violation } = step(this.#state, event);
    this.#state = state;
    if (violation !== undefined) return this.close(status.RESOURCE_EXHAUSTED, violation);
    if (outcome !== undefined) this.#host.onOutcome(this, outcome);
    if (this.#call.writableLength > maxUnread) return this.close(status.RESOURCE_EXHAUSTED, "the proxy does not read what it asked for");
    if (responses.length > 0) this.#host.onTold(this);
    for (const response of responses) this.#call.write(encodeResponse(response));
    this.#schedule(wait, responses.length > 0 || event.kind !== "view");
    if (wait === undefined) this.#host.onSettled(this);
  }

  /** A client that is silent while changes go on must not have its time renewed by them. */
  #schedule(wait: StepResult["wait"], afresh: boolean): void {
    if (wait !== undefined && !afresh && this.#timer !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = wait === undefined ? undefined : setTimeout(() => this.#apply({ kind: "timeout" }), waits[wait]);
  }
}

interface Refusal {
  readonly code: status;
  readonly reason: string;
}
