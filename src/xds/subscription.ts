/** What a client asked for of one type, and what it was told. Pure. */
import type { ResourceType } from "../std/resource-set.ts";
import type { EncodedResource } from "./cache.ts";

/** A DeltaDiscoveryRequest, in our words. */
export interface DeltaRequest {
  readonly type: ResourceType;
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** What the client still has from an earlier stream; means something in the first request of a type only. */
  readonly initialVersions: ReadonlyMap<string, string>;
  /** Of the response that this acknowledges; empty = of none. */
  readonly nonce: string;
  /** `error_detail.message`: the response was refused. */
  readonly error: string | undefined;
}

export interface Subscription {
  /** A request of this type was seen. */
  readonly opened: boolean;
  /** A response was sent, or the client came with resources: an empty first answer lets Envoy's start go on. */
  readonly greeted: boolean;
  readonly wildcard: boolean;
  readonly names: ReadonlySet<string>;
  /** Version last told, by name; `absent` = told that it does not exist. */
  readonly told: ReadonlyMap<string, string>;
  /** The resources for which nothing was left to tell: comparing again is not necessary. */
  readonly settledWith: ReadonlyMap<string, EncodedResource> | undefined;
}

export const absent = "";

export const closedSubscription: Subscription = {
  opened: false,
  greeted: false,
  wildcard: false,
  names: new Set(),
  told: new Map(),
  settledWith: undefined,
};

export interface Subscribed {
  /** What is asked for is forgotten in `told`, so that it counts as not told yet. */
  readonly subscription: Subscription;
  /** To be answered at once, whatever the client has. */
  readonly asked: "everything" | ReadonlySet<string>;
}

/**
 * Applies a request's names (xds_protocol.rst, "How the client specifies what resources to return" and "Unsubscribing").
 * `stale` names what the client must be told again although it has the same version (endpoints of an updated cluster).
 */
export function subscribe(before: Subscription, request: DeltaRequest, stale: ReadonlySet<string>): Subscribed {
  return before.opened ? change(before, request) : open(before, request, stale);
}

/** The first request of a type on a stream: the client says what it still has. */
function open(before: Subscription, request: DeltaRequest, stale: ReadonlySet<string>): Subscribed {
  const wildcard = wildcardAfter(before, request);
  const names = namesAfter(before, request);
  const kept = [...request.initialVersions].filter(([name]) => (wildcard || names.has(name)) && !stale.has(name));
  const greeted = request.initialVersions.size > 0;
  return { subscription: { opened: true, greeted, wildcard, names, told: new Map(kept), settledWith: undefined }, asked: "everything" };
}

function change(before: Subscription, request: DeltaRequest): Subscribed {
  const wildcard = wildcardAfter(before, request);
  const names = namesAfter(before, request);
  const dropped = request.unsubscribe.filter((name) => name !== "*");
  const wanted = request.subscribe.filter((name) => name !== "*");
  const again = request.subscribe.includes("*");
  const told = again ? forget(before.told) : new Map(before.told);
  for (const name of [...dropped, ...wanted]) told.delete(name);
  if (before.wildcard && !wildcard) for (const name of told.keys()) if (!names.has(name)) told.delete(name);
  // A name that was dropped but is still covered by the wildcard: the client waits for the answer.
  const asked = again ? "everything" : new Set(wildcard ? [...dropped, ...wanted] : wanted);
  return { subscription: { ...before, wildcard, names, told, settledWith: undefined }, asked };
}

/** The client has these names, in a version that no resource has: it is told all of them again. */
function forget(told: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...told].map(([name, version]) => [name, version === absent ? absent : "?"]));
}

function namesAfter(before: Subscription, request: DeltaRequest): ReadonlySet<string> {
  const names = new Set(before.names);
  for (const name of request.unsubscribe) names.delete(name);
  for (const name of request.subscribe) if (name !== "*") names.add(name);
  return names;
}

/** `*` says it; for clusters and listeners, so does a first request without names (the legacy rule). */
function wildcardAfter(before: Subscription, request: DeltaRequest): boolean {
  if (request.subscribe.includes("*")) return true;
  if (request.unsubscribe.includes("*")) return false;
  const legacy = request.type === "cluster" || request.type === "listener";
  return before.wildcard || (legacy && !before.opened && request.subscribe.length === 0);
}

export interface Difference {
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** What the client was not told yet. */
export function differenceTo(resources: ReadonlyMap<string, EncodedResource>, subscription: Subscription): Difference {
  const { told, names, wildcard, opened, settledWith } = subscription;
  if (!opened || settledWith === resources) return nothing;
  const wanted = [...(wildcard ? resources.keys() : names)];
  const changed = wanted.filter((name) => {
    const version = resources.get(name)?.version;
    return version !== undefined && version !== told.get(name);
  });
  const gone = [...told].filter(([name, version]) => version !== absent && !resources.has(name)).map(([name]) => name);
  const unknown = [...names].filter((name) => !told.has(name) && !resources.has(name));
  return { changed, removed: [...gone, ...unknown] };
}

const nothing: Difference = { changed: [], removed: [] };
