import { resourceTypes, type ResourceSet, type ResourceType } from "../std/resource-set.ts";

/** A resource ready for the wire. */
export interface EncodedResource {
  /** Hash of the content: equal bytes, equal version. */
  readonly version: string;
  /** A complete `resources` element of a DeltaDiscoveryResponse, tag included: responses are copies of these. */
  readonly entry: Uint8Array;
}

/** What one proxy shall have, by type and name. */
export type ProxyView = { readonly [T in ResourceType]: ReadonlyMap<string, EncodedResource> };

/** A resource that could not be encoded: a bug of a builder, told and survived. */
export interface EncodingFailure {
  readonly type: ResourceType;
  readonly name: string;
  readonly sentence: string;
}

export type Encode = (type: ResourceType, name: string, resource: object) => EncodedResource;

export interface ViewResult {
  readonly view: ProxyView;
  readonly failures: readonly EncodingFailure[];
}

/**
 * The view of a proxy's resources. A resource that cannot be encoded keeps the bytes it had in `previous` (its last good
 * ones), or is left out; the rest goes on. A type that did not change keeps its map, so that streams need not compare.
 */
export function viewOf(set: ResourceSet, encode: Encode, previous: ProxyView | undefined): ViewResult {
  const failures: EncodingFailure[] = [];
  const view: Partial<Record<ResourceType, ReadonlyMap<string, EncodedResource>>> = {};
  for (const type of resourceTypes) {
    const entries = new Map<string, EncodedResource>();
    for (const [name, resource] of set[type]) {
      const made = attempt(() => encode(type, name, resource));
      const entry = made instanceof Error ? previous?.[type].get(name) : made;
      if (made instanceof Error) failures.push({ type, name, sentence: made.message });
      if (entry !== undefined) entries.set(name, entry);
    }
    view[type] = keepSame(entries, previous?.[type]);
  }
  return { view: { ...emptyView, ...view }, failures };
}

/** A proxy that is told nothing. */
export const emptyView: ProxyView = { cluster: new Map(), endpoint: new Map(), listener: new Map(), route: new Map() };

type Entries = ReadonlyMap<string, EncodedResource>;

function keepSame(entries: Entries, previous: Entries | undefined): Entries {
  if (previous?.size !== entries.size) return entries;
  for (const [name, entry] of entries) if (previous.get(name)?.version !== entry.version) return entries;
  return previous;
}

function attempt<T>(make: () => T): T | Error {
  try {
    return make();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
