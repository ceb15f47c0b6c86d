/** Small objects for tests: each function fills in what a test does not care about. */
import { meshConfigDefaults } from "../../../src/api/mesh-config-defaults.ts";
import type { EndpointSlice, Meta, Pod, Service, ServicePort, SliceEndpoint } from "../../../src/api/kubernetes.ts";
import { objectKey, type MeshKind, type MeshObject, type MeshObjects } from "../../../src/api/objects.ts";
import type { Canary, TrafficSplit } from "../../../src/api/smi/split.ts";
import type { Monitor } from "../../../src/api/smi/monitor.ts";
import type { TlsConfig } from "../../../src/api/smi/tls-config.ts";
import { buildSnapshot } from "../../../src/mesh/build-snapshot.ts";
import type { SnapshotResult } from "../../../src/mesh/snapshot.ts";

export const defaults = meshConfigDefaults;

export function meta(name: string, rest: Partial<Meta> = {}): Meta {
  return { namespace: "shop", name, uid: `uid-${name}`, labels: {}, annotations: {}, creationTimestamp: "", ...rest };
}

/** In the mesh: it carries our proxy. */
export function pod(name: string, rest: Partial<Pod> & { readonly labels?: Readonly<Record<string, string>> } = {}): Pod {
  const { labels = { app: name }, ...fields } = rest;
  return {
    kind: "Pod",
    metadata: meta(name, { labels }),
    serviceAccount: "default",
    hostNetwork: false,
    containers: ["weft-init", "weft-agent", "weft-proxy", "app"],
    ports: [],
    ips: [],
    ready: true,
    ended: false,
    terminating: false,
    ...fields,
  };
}

export function servicePort(port: number, rest: Partial<ServicePort> = {}): ServicePort {
  return { name: "", port, targetPort: port, protocol: "TCP", appProtocol: "", ...rest };
}

export function service(name: string, rest: Partial<Service> = {}): Service {
  return {
    kind: "Service",
    metadata: meta(name),
    selector: { app: name },
    clusterIps: [],
    headless: false,
    externalName: "",
    ports: [servicePort(80, { name: "http", targetPort: 8080 })],
    publishNotReadyAddresses: false,
    ...rest,
  };
}

export function endpoint(address: string, rest: Partial<SliceEndpoint> = {}): SliceEndpoint {
  return { address, ready: true, serving: true, terminating: false, pod: "", zone: "", ...rest };
}

/** Of the Service that the name starts with: `web-1` is a slice of `web`. */
export function slice(name: string, endpoints: readonly SliceEndpoint[], rest: Partial<EndpointSlice> = {}): EndpointSlice {
  return {
    kind: "EndpointSlice",
    metadata: meta(name),
    service: name.replace(/-[0-9]+$/, ""),
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints,
    ...rest,
  };
}

export function canary(name: string, root: string, backends: Readonly<Record<string, number | string>>): Canary {
  return { kind: "Canary", metadata: meta(name), spec: { service: root, backends: weights(backends) } };
}

export function trafficSplit(name: string, root: string, backends: Readonly<Record<string, number>>): TrafficSplit {
  const list = Object.entries(backends).map(([backend, weight]) => ({ service: backend, weight }));
  return { kind: "TrafficSplit", metadata: meta(name), spec: { service: root, backends: list } };
}

function weights(backends: Readonly<Record<string, number | string>>) {
  return Object.entries(backends).map(([backend, weight]) => ({ service: backend, weight }));
}

export function tlsConfig(name: string, labels: Readonly<Record<string, string>>, rest: Partial<TlsConfig["spec"]> = {}): TlsConfig {
  return { kind: "TLSConfig", metadata: meta(name), spec: { selector: { matchLabels: { ...labels } }, ...rest } };
}

export function monitor(name: string, labels: Readonly<Record<string, string>>, rest: Partial<Monitor["spec"]> = {}): Monitor {
  return { kind: "Monitor", metadata: meta(name), spec: { selector: { matchLabels: { ...labels } }, ...rest }, status: {} };
}

const kinds: readonly MeshKind[] = ["Namespace", "Pod", "Service", "EndpointSlice", "ServiceAccount", "TLSConfig", "Canary", "Monitor", "TrafficSplit"];

export function objects(...list: readonly MeshObject[]): MeshObjects {
  const byKind = kinds.map((kind) => [kind, new Map(list.filter((object) => object.kind === kind).map((object) => [objectKey(object.metadata), object]))] as const);
  return Object.fromEntries(byKind) as unknown as MeshObjects;
}

export function snapshotOf(...list: readonly MeshObject[]): SnapshotResult {
  return buildSnapshot(objects(...list), { config: defaults });
}
