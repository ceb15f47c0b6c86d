import type { Problem } from "../std/problem.ts";

/** `spiffe://<trust domain>/ns/<namespace>/sa/<service account>` */
export type SpiffeId = string;
/** `namespace/pod` */
export type WorkloadKey = string;
/** `namespace/service` */
export type ServiceKey = string;

export type TlsMode = "permissive" | "strict";

/** One pod, in the mesh or not. */
export interface Workload {
  readonly key: WorkloadKey;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly serviceAccount: string;
  readonly identity: SpiffeId;
  readonly labels: Readonly<Record<string, string>>;
  readonly addresses: readonly string[];
  /** It carries our proxy (or, from files, would). */
  readonly inMesh: boolean;
  readonly tlsMode: TlsMode;
  /** Sorted; of all TLSConfigs that select it, those that may stand in a certificate. */
  readonly subjectNames: readonly string[];
  /** Keys of the Monitors that select it, sorted. */
  readonly monitors: readonly string[];
  /** Pod ports that Services send TCP to, by number, with what is spoken there. */
  readonly ports: ReadonlyMap<number, PortProtocol>;
}

/** `detect`: nothing declared, the proxy looks. */
export type PortProtocol = "http" | "http2" | "tcp" | "detect";

export interface MeshEndpoint {
  readonly address: string;
  readonly port: number;
  /** Empty when it is no pod that we know. */
  readonly workload: WorkloadKey;
  /** Talks mesh TLS, as this identity; empty = plaintext. */
  readonly identity: SpiffeId;
}

export interface MeshServicePort {
  readonly number: number;
  readonly name: string;
  readonly protocol: PortProtocol;
  /** Sorted by address, then port. */
  readonly endpoints: readonly MeshEndpoint[];
}

export interface MeshService {
  readonly key: ServiceKey;
  readonly namespace: string;
  readonly name: string;
  /** Virtual addresses; empty = headless. */
  readonly addresses: readonly string[];
  /** TCP ports, sorted by number. */
  readonly ports: readonly MeshServicePort[];
  /** Of its pods in the mesh, ready or not, sorted: changes with service accounts, not with addresses. */
  readonly identities: readonly SpiffeId[];
}

/** Canary and TrafficSplit are one thing here. */
export interface Split {
  /** The object it comes from: `Canary ns/name`. */
  readonly origin: { readonly kind: "Canary" | "TrafficSplit"; readonly namespace: string; readonly name: string };
  readonly root: ServiceKey;
  /** In the object's order; weights are integers with a sum ≤ 2³²−1, or all 0 (answer 503). */
  readonly backends: readonly { readonly service: ServiceKey; readonly weight: number }[];
}

export interface MeshMonitor {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  /** Present = replaces the pods' labels. */
  readonly metricLabels: Readonly<Record<string, string>> | undefined;
  /** Workloads it selects, sorted. */
  readonly workloads: readonly WorkloadKey[];
}

/** The whole mesh at one moment, in our words. */
export interface MeshSnapshot {
  readonly trustDomain: string;
  readonly clusterDomain: string;
  readonly workloads: ReadonlyMap<WorkloadKey, Workload>;
  readonly services: ReadonlyMap<ServiceKey, MeshService>;
  /** By root. */
  readonly splits: ReadonlyMap<ServiceKey, Split>;
  readonly monitors: ReadonlyMap<string, MeshMonitor>;
}

export interface SnapshotResult {
  readonly snapshot: MeshSnapshot;
  readonly problems: readonly Problem[];
}
