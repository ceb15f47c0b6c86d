import type { Namespace } from "../../src/api/kubernetes.ts";
import type { MeshConfig } from "../../src/api/mesh-config.ts";
import type { MeshObjects } from "../../src/api/objects.ts";
import type { Monitor } from "../../src/api/smi/monitor.ts";
import type { Canary, TrafficSplit } from "../../src/api/smi/split.ts";
import type { TlsConfig } from "../../src/api/smi/tls-config.ts";
import { sortedBy } from "../../src/std/sort.ts";
import type { PodView } from "./pod.ts";

/** The resources of one namespace, each list sorted by name. */
export interface NamespaceResources {
  readonly tlsConfigs: readonly TlsConfig[];
  readonly monitors: readonly Monitor[];
  readonly canaries: readonly Canary[];
  readonly trafficSplits: readonly TrafficSplit[];
}

/** All that a decision depends on. */
export interface Facts {
  readonly pod: PodView;
  readonly namespace: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly resources: NamespaceResources;
  readonly config: MeshConfig;
}

/** What is known of one namespace; `declared` = there is a Namespace object. */
export interface NamespaceFacts {
  readonly declared: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly resources: NamespaceResources;
}

const none: NamespaceResources = { tlsConfigs: [], monitors: [], canaries: [], trafficSplits: [] };
const indexes = new WeakMap<MeshObjects, ReadonlyMap<string, NamespaceResources>>();

/** The facts of one namespace. Objects are never mutated, so the index of one state is made once, by the first to ask. */
export function namespaceFacts(objects: MeshObjects, name: string): NamespaceFacts {
  const index = indexes.get(objects) ?? indexResources(objects);
  indexes.set(objects, index);
  const namespace: Namespace | undefined = objects.Namespace.get(name);
  return {
    declared: namespace !== undefined,
    labels: namespace?.metadata.labels ?? {},
    resources: index.get(name) ?? none,
  };
}

function indexResources(objects: MeshObjects): ReadonlyMap<string, NamespaceResources> {
  const tlsConfigs = byNamespace(objects.TLSConfig);
  const monitors = byNamespace(objects.Monitor);
  const canaries = byNamespace(objects.Canary);
  const trafficSplits = byNamespace(objects.TrafficSplit);
  const names = new Set([...tlsConfigs.keys(), ...monitors.keys(), ...canaries.keys(), ...trafficSplits.keys()]);
  return new Map(
    [...names].map((name) => [
      name,
      {
        tlsConfigs: tlsConfigs.get(name) ?? [],
        monitors: monitors.get(name) ?? [],
        canaries: canaries.get(name) ?? [],
        trafficSplits: trafficSplits.get(name) ?? [],
      },
    ]),
  );
}

function byNamespace<T extends { readonly metadata: { readonly namespace: string; readonly name: string } }>(
  objects: ReadonlyMap<string, T>,
): Map<string, T[]> {
  return Map.groupBy(
    sortedBy(objects.values(), (object) => object.metadata.name),
    (object) => object.metadata.namespace,
  );
}
