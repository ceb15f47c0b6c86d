import type { Pod, Service } from "../../../src/api/kubernetes.ts";
import type { MeshKind, MeshObjects, ObjectSource, SourceState } from "../../../src/api/objects.ts";
import { noObjects } from "../../../src/files/assemble.ts";

export function metaOf(namespace: string, name: string, labels: Record<string, string> = {}) {
  return { namespace, name, uid: `uid-${name}`, labels, annotations: {}, creationTimestamp: "" };
}

/** A pod of the mesh, of the service account `web`. */
export function podOf(namespace: string, name: string, rest: Partial<Pod> = {}): Pod {
  return {
    kind: "Pod",
    metadata: metaOf(namespace, name, { app: "web" }),
    serviceAccount: "web",
    hostNetwork: false,
    containers: ["app", "weft-proxy"],
    ports: [],
    ips: ["10.0.0.1"],
    ready: true,
    ended: false,
    terminating: false,
    ...rest,
  };
}

export function serviceOf(namespace: string, name: string, port: number): Service {
  return {
    kind: "Service",
    metadata: metaOf(namespace, name),
    selector: { app: "web" },
    clusterIps: ["10.1.0.1"],
    headless: false,
    externalName: "",
    ports: [{ name: "http", port, targetPort: 8080, protocol: "TCP", appProtocol: "" }],
    publishNotReadyAddresses: false,
  };
}

export function byKey<T extends { readonly metadata: { readonly namespace: string; readonly name: string } }>(...objects: readonly T[]): ReadonlyMap<string, T> {
  return new Map(objects.map((object) => [object.metadata.namespace === "" ? object.metadata.name : `${object.metadata.namespace}/${object.metadata.name}`, object]));
}

/** A source that says what it is given. */
export class MemorySource implements ObjectSource {
  readonly synced = Promise.resolve();
  readonly #listeners = new Set<(kinds: ReadonlySet<MeshKind>) => void>();
  #state: SourceState;

  constructor(objects: Partial<MeshObjects>) {
    this.#state = { objects: { ...noObjects, ...objects }, problems: [] };
  }

  current(): SourceState {
    return this.#state;
  }

  trouble(): undefined {
    return undefined;
  }

  onChange(listener: (kinds: ReadonlySet<MeshKind>) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  replace(objects: Partial<MeshObjects>): void {
    this.#state = { objects: { ...this.#state.objects, ...objects }, problems: [] };
    for (const listener of this.#listeners) listener(new Set(Object.keys(objects) as MeshKind[]));
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}
