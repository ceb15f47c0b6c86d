import type { EndpointSlice, Namespace, Pod, Service, ServiceAccount } from "./kubernetes.ts";
import type { Canary, TrafficSplit } from "./smi/split.ts";
import type { Monitor } from "./smi/monitor.ts";
import type { TlsConfig } from "./smi/tls-config.ts";
import type { Problem } from "../std/problem.ts";

/** Every kind weft reads, by kind; a source holds one list of each. */
export interface MeshObjectByKind {
  readonly Namespace: Namespace;
  readonly Pod: Pod;
  readonly Service: Service;
  readonly EndpointSlice: EndpointSlice;
  readonly ServiceAccount: ServiceAccount;
  readonly TLSConfig: TlsConfig;
  readonly Canary: Canary;
  readonly Monitor: Monitor;
  readonly TrafficSplit: TrafficSplit;
}

export type MeshKind = keyof MeshObjectByKind;
export type MeshObject = MeshObjectByKind[MeshKind];

/** All objects at one moment, by kind and `namespace/name` (`name` alone for namespaces). Never mutated: a change makes new maps. */
export type MeshObjects = { readonly [K in MeshKind]: ReadonlyMap<string, MeshObjectByKind[K]> };

/** What a source knows at one moment: the good objects, and a Problem for each bad one. */
export interface SourceState {
  readonly objects: MeshObjects;
  readonly problems: readonly Problem[];
}

/** Where objects come from: files or Kubernetes. Nothing else in the program knows which. */
export interface ObjectSource {
  /** The state now; complete only after `synced`. */
  current(): SourceState;
  /** Resolves when every kind was listed once. */
  readonly synced: Promise<void>;
  /** What is wrong with the source now, in a sentence (API server away, …); undefined = healthy. */
  trouble(): string | undefined;
  /** Called after each change, with the kinds that changed; returns what ends it. */
  onChange(listener: (kinds: ReadonlySet<MeshKind>) => void): () => void;
  stop(): Promise<void>;
}

/** The key of an object in {@link MeshObjects}. */
export function objectKey(metadata: { readonly namespace: string; readonly name: string }): string {
  return metadata.namespace === "" ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}
