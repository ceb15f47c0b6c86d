import { isDeepStrictEqual } from "node:util";
import type { MeshKind, MeshObject, MeshObjects, ObjectSource, SourceState } from "../api/objects.ts";
import type { ParseResult } from "../api/parse.ts";
import type { Logger } from "../runtime/logger.ts";
import { compareProblems, type Problem } from "../std/problem.ts";
import { smiGroup, splitGroup } from "../std/well-known.ts";
import type { KubeClient } from "./client.ts";
import { runReflector, type ReflectorSink } from "./reflector.ts";

export interface K8sSourceOptions {
  readonly client: KubeClient;
  /** Only these are listed and watched; the others stay empty. Default: all. */
  readonly kinds?: readonly MeshKind[];
  readonly logger: Logger;
}

/** Where the API server has each kind. */
export const resources = {
  Namespace: { apiVersion: "v1", path: "/api/v1/namespaces" },
  Pod: { apiVersion: "v1", path: "/api/v1/pods" },
  Service: { apiVersion: "v1", path: "/api/v1/services" },
  EndpointSlice: { apiVersion: "discovery.k8s.io/v1", path: "/apis/discovery.k8s.io/v1/endpointslices" },
  ServiceAccount: { apiVersion: "v1", path: "/api/v1/serviceaccounts" },
  TLSConfig: { apiVersion: `${smiGroup}/v1beta1`, path: `/apis/${smiGroup}/v1beta1/tlsconfigs` },
  Canary: { apiVersion: `${smiGroup}/v1beta1`, path: `/apis/${smiGroup}/v1beta1/canaries` },
  Monitor: { apiVersion: `${smiGroup}/v1beta1`, path: `/apis/${smiGroup}/v1beta1/monitors` },
  TrafficSplit: { apiVersion: `${splitGroup}/v1alpha4`, path: `/apis/${splitGroup}/v1alpha4/trafficsplits` },
} as const satisfies { readonly [K in MeshKind]: { readonly apiVersion: string; readonly path: string } };

const allKinds = Object.keys(resources) as readonly MeshKind[];

/** Objects of a cluster, listed and watched until `stop`. It never fails: what keeps it from the API server is `trouble`. */
export function startK8sSource({ client, kinds = allKinds, logger }: K8sSourceOptions): ObjectSource {
  const controller = new AbortController();
  const notifier = new Notifier();
  // Asked for at each admission: gathered once a change.
  let state: SourceState | undefined;
  function changed(kind: MeshKind): void {
    state = undefined;
    notifier.changed(kind);
  }
  const stores = new Map(allKinds.map((kind) => [kind, new KindStore(() => changed(kind))]));
  const runs = kinds.map((kind) => {
    const sink = stores.get(kind) ?? new KindStore(() => undefined);
    return runReflector({ client, kind, ...resources[kind], sink, logger, signal: controller.signal });
  });
  return {
    current: () => (state ??= collectState(stores)),
    synced: Promise.all(kinds.map((kind) => stores.get(kind)?.synced)).then(() => undefined),
    trouble: () => [...stores.values()].map((store) => store.currentTrouble).find((sentence) => sentence !== undefined),
    onChange: (listener) => notifier.add(listener),
    stop: async () => {
      controller.abort();
      notifier.end();
      await Promise.all(runs);
    },
  };
}

/** Gathers the changes of one turn of the event loop into one call of each listener. */
class Notifier {
  readonly #listeners = new Set<(kinds: ReadonlySet<MeshKind>) => void>();
  #kinds = new Set<MeshKind>();
  #ended = false;

  add(listener: (kinds: ReadonlySet<MeshKind>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(kind: MeshKind): void {
    if (this.#kinds.size === 0) setImmediate(() => this.#flush());
    this.#kinds.add(kind);
  }

  end(): void {
    this.#ended = true;
  }

  #flush(): void {
    const kinds = this.#kinds;
    this.#kinds = new Set();
    if (this.#ended) return;
    for (const listener of this.#listeners) listener(kinds);
  }
}

/** One kind: written by its reflector, read as maps that never change. */
class KindStore implements ReflectorSink {
  readonly synced: Promise<void>;
  currentTrouble: string | undefined;
  readonly #changed: () => void;
  readonly #objects = new Map<string, MeshObject>();
  readonly #problems = new Map<string, readonly Problem[]>();
  #markSynced: () => void = () => undefined;
  #view: ReadonlyMap<string, MeshObject> | undefined = new Map();

  constructor(changed: () => void) {
    this.#changed = changed;
    this.synced = new Promise((resolve) => {
      this.#markSynced = resolve;
    });
  }

  /** Made at most once a change, however many events came. */
  get view(): ReadonlyMap<string, MeshObject> {
    this.#view ??= new Map(this.#objects);
    return this.#view;
  }

  get problems(): readonly Problem[] {
    return [...this.#problems.values()].flat();
  }

  replace(objects: ReadonlyMap<string, ParseResult>): void {
    const removed = [...new Set([...this.#objects.keys(), ...this.#problems.keys()])].filter((key) => !objects.has(key));
    this.change([...removed.map((key) => [key, undefined] as const), ...objects]);
    this.#markSynced();
  }

  change(changes: readonly (readonly [string, ParseResult | undefined])[]): void {
    const differs = changes.map(([key, result]) => this.#put(key, result));
    if (differs.includes(true)) this.#changed();
  }

  trouble(sentence: string | undefined): void {
    this.currentTrouble = sentence;
  }

  /** Most events of Pods change nothing that we read: those are no change. */
  #put(key: string, result: ParseResult | undefined): boolean {
    const object = result?.kind === "object" ? result.object : undefined;
    const objectDiffers = !isDeepStrictEqual(this.#objects.get(key), object);
    if (objectDiffers) {
      this.#view = undefined;
      if (object === undefined) this.#objects.delete(key);
      else this.#objects.set(key, object);
    }
    const problems = problemsOf(result);
    const problemsDiffer = !isDeepStrictEqual(this.#problems.get(key) ?? [], problems);
    if (problems.length === 0) this.#problems.delete(key);
    else this.#problems.set(key, problems);
    return objectDiffers || problemsDiffer;
  }
}

function problemsOf(result: ParseResult | undefined): readonly Problem[] {
  if (result?.kind === "object") return result.problems;
  return result?.kind === "problem" ? [result.problem] : [];
}

function collectState(stores: ReadonlyMap<MeshKind, KindStore>): SourceState {
  // Each store holds what its own reflector parsed, so the objects are of its kind.
  const objects = Object.fromEntries([...stores].map(([kind, store]) => [kind, store.view])) as unknown as MeshObjects;
  return { objects, problems: [...stores.values()].flatMap((store) => store.problems).toSorted(compareProblems) };
}
