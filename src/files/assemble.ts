import { isDeepStrictEqual } from "node:util";
import type { EndpointSlice, Namespace, Pod, Service } from "../api/kubernetes.ts";
import { objectKey, type MeshKind, type MeshObject, type MeshObjects, type SourceState } from "../api/objects.ts";
import { refOf } from "../api/parse.ts";
import { compareProblems, formatObject, type Problem } from "../std/problem.ts";
import { sortedBy } from "../std/sort.ts";
import { namespaceNameLabel } from "../std/well-known.ts";
import { deriveEndpointSlices } from "./endpoints.ts";
import { syntheticUid, type FileContent } from "./file-content.ts";

/** Nothing of any kind. */
export const noObjects: MeshObjects = {
  Namespace: new Map(),
  Pod: new Map(),
  Service: new Map(),
  EndpointSlice: new Map(),
  ServiceAccount: new Map(),
  TLSConfig: new Map(),
  Canary: new Map(),
  Monitor: new Map(),
  TrafficSplit: new Map(),
};

export interface AssembleOptions {
  readonly files: ReadonlyMap<string, FileContent>;
  readonly derive: "all" | "nothing";
  /** Equal objects, and maps without a change, are taken over from here, so that a change is a change of identity. */
  readonly previous: MeshObjects;
}

/** One state of all files: of two equal names the first file (by name) counts; derives what a cluster would add. */
export function assemble({ files, derive, previous }: AssembleOptions): SourceState {
  const problems: Problem[] = [];
  const byKind = new Map<MeshKind, Map<string, MeshObject>>();
  const origin = new Map<string, string>();
  for (const [file, content] of sortedBy(files, ([name]) => name)) {
    problems.push(...content.problems);
    for (const object of content.objects) {
      const name = formatObject({ kind: object.kind, ...object.metadata });
      const earlier = origin.get(name);
      if (earlier !== undefined) problems.push(duplicate(object, earlier, file));
      else insert(byKind, object);
      if (earlier === undefined) origin.set(name, file);
    }
  }
  if (derive === "all") addDerived(byKind);
  return { objects: reuse(byKind, previous), problems: problems.toSorted(compareProblems) };
}

/** Kinds of which anything differs. */
export function changedKinds(before: MeshObjects, after: MeshObjects): ReadonlySet<MeshKind> {
  return new Set((Object.keys(noObjects) as MeshKind[]).filter((kind) => before[kind] !== after[kind]));
}

function insert(byKind: Map<MeshKind, Map<string, MeshObject>>, object: MeshObject): void {
  const map = byKind.get(object.kind) ?? new Map<string, MeshObject>();
  byKind.set(object.kind, map.set(objectKey(object.metadata), object));
}

function duplicate(object: MeshObject, first: string, second: string): Problem {
  const places = first === second ? `twice in ${first}; the first one counts` : `in ${first} and in ${second}; the one in ${first} counts`;
  return { severity: "error", code: "object-duplicate", object: refOf(object), sentence: `It stands ${places}. Remove the other.` };
}

/** EndpointSlices, and Namespaces that pods are in though no document declares them. */
function addDerived(byKind: Map<MeshKind, Map<string, MeshObject>>): void {
  const pods = listOf<Pod>(byKind, "Pod");
  const slices = deriveEndpointSlices(listOf<Service>(byKind, "Service"), pods, listOf<EndpointSlice>(byKind, "EndpointSlice"));
  const declared = new Set(listOf<Namespace>(byKind, "Namespace").map(({ metadata }) => metadata.name));
  const used = new Set(pods.map(({ metadata }) => metadata.namespace));
  const implicit = [...used].filter((name) => !declared.has(name)).map(implicitNamespace);
  for (const object of [...slices, ...implicit]) insert(byKind, object);
}

/** `insert` files an object under its own kind, which makes the cast true. */
function listOf<T extends MeshObject>(byKind: ReadonlyMap<MeshKind, ReadonlyMap<string, MeshObject>>, kind: T["kind"]): readonly T[] {
  return [...(byKind.get(kind)?.values() ?? [])] as unknown as readonly T[];
}

function implicitNamespace(name: string): Namespace {
  const labels = { [namespaceNameLabel]: name };
  return { kind: "Namespace", metadata: { namespace: "", name, uid: syntheticUid("Namespace", "", name), labels, annotations: {}, creationTimestamp: "" } };
}

function reuse(byKind: ReadonlyMap<MeshKind, ReadonlyMap<string, MeshObject>>, previous: MeshObjects): MeshObjects {
  const kinds = (Object.keys(noObjects) as MeshKind[]).map((kind) => [kind, reuseMap(byKind.get(kind) ?? new Map(), previous[kind])] as const);
  return Object.fromEntries(kinds) as unknown as MeshObjects;
}

function reuseMap(now: ReadonlyMap<string, MeshObject>, before: ReadonlyMap<string, MeshObject>): ReadonlyMap<string, MeshObject> {
  const entries = [...now].map(([key, object]) => {
    const old = before.get(key);
    return [key, old !== undefined && (old === object || isDeepStrictEqual(old, object)) ? old : object] as const;
  });
  const same = entries.length === before.size && entries.every(([key, object]) => before.get(key) === object);
  return same ? before : new Map(entries);
}
