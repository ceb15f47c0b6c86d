import type { MeshConfig } from "../../../../src/api/mesh-config.ts";
import type { Meta } from "../../../../src/api/kubernetes.ts";
import type { Monitor } from "../../../../src/api/smi/monitor.ts";
import type { Canary, TrafficSplit } from "../../../../src/api/smi/split.ts";
import type { TlsConfig } from "../../../../src/api/smi/tls-config.ts";
import type { NamespaceFacts } from "../../../../webhook/inject/facts.ts";

const amounts = { requests: { cpu: "10m", memory: "48Mi" }, limits: { cpu: "200m", memory: "96Mi" } };

/** A mesh configuration with every value written out. */
export const config: MeshConfig = {
  trustDomain: "weft.local",
  clusterDomain: "cluster.local",
  tls: { mode: "permissive" },
  access: { mode: "selected" },
  split: { unready: "unavailable" },
  certificates: { ttl: 86_400 },
  controlPlane: {
    namespace: "weft-system",
    xds: "weft-controller.weft-system.svc:15010",
    ca: "https://weft-controller.weft-system.svc:15012",
    metrics: "https://weft-controller.weft-system.svc:3000",
  },
  images: { weft: "weft/weft:0.1.0", pullPolicy: "IfNotPresent", pullSecrets: [] },
  injection: {
    excludedNamespaces: ["untouchable"],
    allowedImages: ["registry.example/weft/*"],
    nativeSidecars: "auto",
    redirection: "iptables",
    concurrency: 2,
    drainSeconds: 15,
    logLevel: "warning",
    resources: { proxy: amounts, agent: amounts, adapter: amounts, init: amounts },
  },
  monitor: { flushInterval: "5s" },
};

export function meta(name: string): Meta {
  return { namespace: "shop", name, uid: name, labels: {}, annotations: {}, creationTimestamp: "" };
}

export function tlsConfig(name: string, matchLabels: Record<string, string>): TlsConfig {
  return { kind: "TLSConfig", metadata: meta(name), spec: { selector: { matchLabels } } };
}

export function monitor(name: string, matchLabels: Record<string, string>): Monitor {
  return { kind: "Monitor", metadata: meta(name), spec: { selector: { matchLabels } }, status: {} };
}

export function canary(name: string): Canary {
  return { kind: "Canary", metadata: meta(name), spec: { service: "books", backends: [{ service: "books-v1", weight: 1 }] } };
}

export function trafficSplit(name: string): TrafficSplit {
  return { kind: "TrafficSplit", metadata: meta(name), spec: { service: "books", backends: [{ service: "books-v1", weight: 1 }] } };
}

/** A namespace that opted in, with the resources given. */
export function facts(resources: Partial<NamespaceFacts["resources"]> = {}, labels: Record<string, string> = { "weft.mesh/inject": "enabled" }): NamespaceFacts {
  return { declared: true, labels, annotations: {}, resources: { tlsConfigs: [], monitors: [], canaries: [], trafficSplits: [], ...resources } };
}
