/**
 * Delta ADS for one client as a state machine: `step(state, event)`. Pure; `server.ts` puts it on the wire.
 *
 * What the client asks for by name is answered at once. What changes by itself goes out one response at a time, each
 * after the client has answered the one before, in Envoy's make-before-break order: clusters, their endpoints,
 * listeners, routes, then removals the other way round. That bounds what is in flight, merges quick changes, and no
 * route points to a cluster that the proxy does not have yet. Facts: Envoy's xds_protocol.rst.
 */
import { resourceTypes, type ResourceType } from "../std/resource-set.ts";
import { unreachable } from "../std/unreachable.ts";
import type { EncodedResource, ProxyView } from "./cache.ts";
import { absent, closedSubscription, differenceTo, subscribe, type DeltaRequest, type Subscribed, type Subscription } from "./subscription.ts";

interface Delivery {
  readonly type: ResourceType;
  readonly names: readonly string[];
  /** Later ones wait for its answer; not for ever (`timeout`). */
  readonly holding: boolean;
}

export interface StreamState {
  /** undefined: what this proxy shall have is not known yet; nothing is told, and nothing taken away. */
  readonly view: ProxyView | undefined;
  readonly types: Readonly<Record<ResourceType, Subscription>>;
  readonly lastNonce: number;
  /** Responses without an answer yet, by nonce. */
  readonly deliveries: ReadonlyMap<string, Delivery>;
  /** Endpoints of the clusters just told, which the client has yet to ask for. */
  readonly expected: ReadonlySet<string>;
}

export type StreamEvent =
  | { readonly kind: "request"; readonly request: DeltaRequest }
  | { readonly kind: "view"; readonly view: ProxyView | undefined }
  /** The time of `wait` is over. */
  | { readonly kind: "timeout" };

export interface DeltaResponse {
  readonly type: ResourceType;
  readonly nonce: string;
  readonly resources: readonly EncodedResource[];
  readonly removed: readonly string[];
}

/** What the client said to a response. */
export type Outcome =
  | { readonly kind: "accepted"; readonly type: ResourceType; readonly names: readonly string[] }
  | { readonly kind: "refused"; readonly type: ResourceType; readonly names: readonly string[]; readonly sentence: string };

export interface StepResult {
  readonly state: StreamState;
  readonly responses: readonly DeltaResponse[];
  readonly outcome: Outcome | undefined;
  /** What is being waited for; undefined = the client has, or has refused, everything. */
  readonly wait: "answer" | "quiet" | undefined;
  /** The client is beyond what weft keeps for one stream: end it with this sentence. */
  readonly violation: string | undefined;
}

/** Bounds of what one client can make us keep. */
export const streamLimits = { names: 50_000, deliveries: 1_000 } as const;

export const initialState: StreamState = {
  view: undefined,
  types: { cluster: closedSubscription, endpoint: closedSubscription, listener: closedSubscription, route: closedSubscription },
  lastNonce: 0,
  deliveries: new Map(),
  expected: new Set(),
};

export function step(state: StreamState, event: StreamEvent): StepResult {
  switch (event.kind) {
    case "request":
      return onRequest(state, event.request);
    case "view":
      return finish(flush({ state: { ...state, view: event.view }, responses: [] }, "everything"), undefined);
    case "timeout":
      return finish(flush({ state: stopWaiting(state), responses: [] }, "everything"), undefined);
    default:
      return unreachable(event);
  }
}

interface Progress {
  readonly state: StreamState;
  readonly responses: readonly DeltaResponse[];
}

function onRequest(before: StreamState, request: DeltaRequest): StepResult {
  const { state, outcome } = settle(before, request);
  const opens = !state.types[request.type].opened;
  const { subscription, asked } = subscribe(state.types[request.type], request, request.type === "endpoint" ? state.expected : none);
  const subscribed = { ...withType(state, request.type, subscription), expected: stillExpected(state, request) };
  const replied = reply({ state: subscribed, responses: [] }, request.type, asked);
  // On a new stream all types are asked for in turn: what must be removed is only known after the last of them.
  return finish(flush(replied, opens ? "additions" : "everything"), outcome);
}

const none: ReadonlySet<string> = new Set();

function stillExpected(state: StreamState, request: DeltaRequest): ReadonlySet<string> {
  if (request.type !== "endpoint" || state.expected.size === 0) return state.expected;
  return without(state.expected, request.subscribe);
}

function without(names: ReadonlySet<string>, taken: Iterable<string>): ReadonlySet<string> {
  const left = new Set(names);
  for (const name of taken) left.delete(name);
  return left;
}

/** A nonce that is not in flight is stale: the names of its request count, its answer does not. */
function settle(state: StreamState, request: DeltaRequest): { readonly state: StreamState; readonly outcome: Outcome | undefined } {
  const delivery = state.deliveries.get(request.nonce);
  if (delivery === undefined || delivery.type !== request.type) return { state, outcome: undefined };
  const deliveries = new Map(state.deliveries);
  deliveries.delete(request.nonce);
  const { type, names } = delivery;
  if (request.error === undefined) return { state: { ...state, deliveries }, outcome: { kind: "accepted", type, names } };
  // What was refused stays `told`: it is not sent again until it changes or is asked for.
  // A refused cluster has no endpoints to ask for.
  const expected = type === "cluster" ? none : state.expected;
  return { state: { ...state, deliveries, expected }, outcome: { kind: "refused", type, names, sentence: request.error } };
}

/**
 * The answer to a request: everything of its type that is new, or what was asked for by name. What is asked for again
 * while it is on its way goes out when the client has answered: else each such request would cost a copy of the mesh.
 */
function reply(progress: Progress, type: ResourceType, asked: Subscribed["asked"]): Progress {
  const { view, types } = progress.state;
  if (view === undefined || isOnItsWay(progress.state, type, asked)) return progress;
  const { changed, removed } = differenceTo(view[type], types[type]);
  const content = {
    changed: changed.filter((name) => asked === "everything" || asked.has(name)),
    removed: asked === "everything" ? removed.filter((name) => types[type].names.has(name)) : [...asked].filter((name) => !view[type].has(name)),
  };
  const empty = content.changed.length + content.removed.length === 0;
  return empty && types[type].greeted ? progress : deliver(progress, type, content);
}

function isOnItsWay({ deliveries }: StreamState, type: ResourceType, asked: Subscribed["asked"]): boolean {
  for (const delivery of deliveries.values()) {
    if (delivery.type !== type || !delivery.holding) continue;
    if (asked === "everything" || delivery.names.some((name) => asked.has(name))) return true;
  }
  return false;
}

const removalOrder: readonly ResourceType[] = ["listener", "route", "cluster", "endpoint"];

/** Sends the next thing that is due, unless something before it is not answered yet. */
function flush(progress: Progress, scope: "additions" | "everything"): Progress {
  const { view, types } = progress.state;
  if (view === undefined) return progress;
  if (isWaiting(progress.state)) return warm(progress, view);
  for (const type of resourceTypes) {
    const { changed } = differenceTo(view[type], types[type]);
    const greeting = types[type].opened && !types[type].greeted;
    if (changed.length > 0 || greeting) return flush(deliver(progress, type, { changed, removed: [] }), scope);
  }
  if (scope === "additions") return progress;
  for (const type of removalOrder) {
    const { removed } = differenceTo(view[type], types[type]);
    if (removed.length > 0) return deliver(progress, type, { changed: [], removed });
  }
  return { ...progress, state: settled(progress.state, view) };
}

/**
 * Endpoints do not wait for the clusters before them: Envoy answers for a cluster only when it is warm (ClusterManagerImpl
 * pauses CDS meanwhile), and it is warm only when its endpoints are there.
 */
function warm(progress: Progress, view: ProxyView): Progress {
  const { types, deliveries } = progress.state;
  const held = [...deliveries.values()].some(({ type, holding }) => holding && type !== "cluster");
  const { changed } = differenceTo(view.endpoint, types.endpoint);
  return held || changed.length === 0 ? progress : deliver(progress, "endpoint", { changed, removed: [] });
}

/** Remembers that nothing is left to tell, so that the next look costs nothing. */
function settled(state: StreamState, view: ProxyView): StreamState {
  const types = { ...state.types };
  for (const type of resourceTypes) if (types[type].opened) types[type] = { ...types[type], settledWith: view[type] };
  return { ...state, types };
}

function isWaiting(state: StreamState): boolean {
  for (const name of state.expected) if (state.view?.endpoint.has(name)) return true;
  for (const delivery of state.deliveries.values()) if (delivery.holding) return true;
  return false;
}

function stopWaiting(state: StreamState): StreamState {
  const held = [...state.deliveries].filter(([, { holding }]) => holding);
  const deliveries = new Map(held.map(([nonce, delivery]) => [nonce, { ...delivery, holding: false }]));
  return { ...state, deliveries, expected: none };
}

interface Content {
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

function deliver({ state, responses }: Progress, type: ResourceType, { changed, removed }: Content): Progress {
  const subscription = state.types[type];
  const told = new Map(subscription.told);
  const resources: EncodedResource[] = [];
  for (const name of changed) {
    const resource = state.view?.[type].get(name);
    if (resource === undefined) continue;
    told.set(name, resource.version);
    resources.push(resource);
  }
  for (const name of removed) {
    if (subscription.names.has(name)) told.set(name, absent);
    else told.delete(name);
  }
  const nonce = String(state.lastNonce + 1);
  const deliveries = new Map(state.deliveries).set(nonce, { type, names: [...changed, ...removed], holding: true });
  const delivered = { ...state, lastNonce: state.lastNonce + 1, deliveries };
  const next = withType(delivered, type, { ...subscription, told, greeted: true, settledWith: undefined });
  return { state: type === "cluster" ? expectEndpoints(next, resources) : next, responses: [...responses, { type, nonce, resources, removed }] };
}

/**
 * A cluster that is new or changed warms until its endpoints arrive, even when they are as before: those that the
 * client has asked for are told again, the others it is going to ask for.
 */
function expectEndpoints(state: StreamState, clusters: readonly EncodedResource[]): StreamState {
  const { endpoint } = state.types;
  const told = new Map(endpoint.told);
  const expected = new Set(state.expected);
  for (const { endpoints: name } of clusters) {
    if (!state.view?.endpoint.has(name)) continue;
    if (endpoint.names.has(name)) told.delete(name);
    else expected.add(name);
  }
  return { ...withType(state, "endpoint", { ...endpoint, told, settledWith: undefined }), expected };
}

function withType(state: StreamState, type: ResourceType, subscription: Subscription): StreamState {
  return { ...state, types: { ...state.types, [type]: subscription } };
}

function finish({ state, responses }: Progress, outcome: Outcome | undefined): StepResult {
  return { state, responses, outcome, wait: waitOf(state), violation: violationOf(state) };
}

function waitOf(state: StreamState): StepResult["wait"] {
  if (state.view === undefined) return undefined;
  if (isWaiting(state)) return "answer";
  for (const type of resourceTypes) {
    const { changed, removed } = differenceTo(state.view[type], state.types[type]);
    if (changed.length + removed.length > 0) return "quiet";
  }
  return undefined;
}

function violationOf(state: StreamState): string | undefined {
  if (state.deliveries.size > streamLimits.deliveries) return `more than ${streamLimits.deliveries} responses without an answer`;
  for (const type of resourceTypes) {
    const { names, told } = state.types[type];
    if (Math.max(names.size, told.size) > streamLimits.names) return `more than ${streamLimits.names} ${type} names`;
  }
  return undefined;
}
