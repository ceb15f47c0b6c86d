import { resourceTypes, type ResourceSet, type ResourceType } from "../std/resource-set.ts";

/** A resource ready for the wire. */
export interface EncodedResource {
  /** Hash of the content: equal bytes, equal version. */
  readonly version: string;
  /** A complete `resources` element of a DeltaDiscoveryResponse, tag included: responses are copies of these. */
  readonly entry: Uint8Array;
  /** Of a cluster: the name of its endpoint resource, which it needs before it is warm; empty = none. */
  readonly endpoints: string;
}

/** What one proxy shall have, by type and name. */
export type ProxyView = { readonly [T in ResourceType]: ReadonlyMap<string, EncodedResource> };

/** A resource that could not be encoded: a bug of a builder, told and survived. */
export interface EncodingFailure {
  readonly type: ResourceType;
  readonly name: string;
  readonly sentence: string;
}

type Entries = ReadonlyMap<string, EncodedResource>;

/** All resources of one type; those that fail are missing. */
export interface EncodedEntries {
  readonly entries: Entries;
  readonly failures: readonly EncodingFailure[];
}

export type EncodeEntries = (type: ResourceType, resources: ReadonlyMap<string, object>) => EncodedEntries;

export interface ViewResult {
  readonly view: ProxyView;
  readonly failures: readonly EncodingFailure[];
}

/**
 * The view of a proxy's resources. A resource that cannot be encoded keeps the bytes it had in `previous` (its last good
 * ones), or is left out; the rest goes on. A type that did not change keeps its map, so that streams need not compare.
 */
export function viewOf(set: ResourceSet, encode: EncodeEntries, previous: ProxyView | undefined): ViewResult {
  const made = resourceTypes.map((type) => ({ type, ...encode(type, set[type]) }));
  const view = Object.fromEntries(made.map(({ type, entries, failures }) => [type, keepGood(entries, failures, previous?.[type])]));
  return { view: { ...emptyView, ...view }, failures: made.flatMap(({ failures }) => failures) };
}

function keepGood(entries: Entries, failures: readonly EncodingFailure[], previous: Entries | undefined): Entries {
  if (previous === undefined || entries === previous) return entries;
  if (failures.length === 0) return keepSame(entries, previous);
  const merged = new Map(entries);
  for (const { name } of failures) {
    const good = previous.get(name);
    if (good !== undefined) merged.set(name, good);
  }
  return keepSame(merged, previous);
}

/** A proxy that is told nothing. */
export const emptyView: ProxyView = { cluster: new Map(), endpoint: new Map(), listener: new Map(), route: new Map() };

function keepSame(entries: Entries, previous: Entries): Entries {
  if (previous.size !== entries.size) return entries;
  for (const [name, entry] of entries) if (previous.get(name)?.version !== entry.version) return entries;
  return previous;
}
