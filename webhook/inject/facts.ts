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
  readonly namespace: { readonly name: string } & Pick<NamespaceFacts, "labels" | "annotations">;
  readonly resources: NamespaceResources;
  readonly config: MeshConfig;
}

/** What is known of one namespace; `declared` = there is a Namespace object. */
export interface NamespaceFacts {
  readonly declared: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Those under `weft.mesh/`: they stand in for what its pods do not say. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly resources: NamespaceResources;
}

interface Named {
  readonly metadata: { readonly namespace: string; readonly name: string };
}
type ByNamespace = ReadonlyMap<string, readonly Named[]>;

const indexes = new WeakMap<ReadonlyMap<string, Named>, ByNamespace>();

/** The facts of one namespace. The maps of a state are never mutated, so each is indexed once, by the first to ask. */
export function namespaceFacts(objects: MeshObjects, name: string): NamespaceFacts {
  const namespace: Namespace | undefined = objects.Namespace.get(name);
  return {
    declared: namespace !== undefined,
    labels: namespace?.metadata.labels ?? {},
    annotations: namespace?.metadata.annotations ?? {},
    resources: {
      tlsConfigs: inNamespace(objects.TLSConfig, name),
      monitors: inNamespace(objects.Monitor, name),
      canaries: inNamespace(objects.Canary, name),
      trafficSplits: inNamespace(objects.TrafficSplit, name),
    },
  };
}

function inNamespace<T extends Named>(objects: ReadonlyMap<string, T>, name: string): readonly T[] {
  const index = indexes.get(objects) ?? groupByNamespace(objects);
  indexes.set(objects, index);
  // The index of a map holds that map's own objects.
  return (index.get(name) ?? []) as readonly T[];
}

function groupByNamespace(objects: ReadonlyMap<string, Named>): ByNamespace {
  return Map.groupBy(
    sortedBy(objects.values(), ({ metadata }) => metadata.name),
    ({ metadata }) => metadata.namespace,
  );
}
