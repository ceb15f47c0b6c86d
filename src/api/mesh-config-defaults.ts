import { parseDuration } from "../std/duration.ts";
import { parseEndpoint } from "../std/endpoint.ts";
import { checkSchema } from "./check-schema.ts";
import { MeshConfigFile, type ContainerResources, type MeshConfig } from "./mesh-config.ts";
import { amountOf } from "./resource-amount.ts";

export const meshConfigDefaults: MeshConfig = {
  trustDomain: "weft.local",
  clusterDomain: "cluster.local",
  tls: { mode: "permissive" },
  access: { mode: "selected" },
  split: { unready: "unavailable" },
  certificates: { ttl: 24 * 3600 },
  controlPlane: {
    namespace: "weft-system",
    xds: "weft-controller.weft-system.svc:15010",
    ca: "https://weft-controller.weft-system.svc:15012",
    metrics: "https://weft-controller.weft-system.svc:3000",
  },
  images: { weft: "weft/weft:0.1.0", pullPolicy: "IfNotPresent", pullSecrets: [] },
  injection: {
    excludedNamespaces: [],
    allowedImages: [],
    nativeSidecars: "auto",
    redirection: "iptables",
    concurrency: 2,
    drainSeconds: 15,
    logLevel: "warning",
    resources: {
      proxy: { requests: { cpu: "50m", memory: "64Mi" }, limits: { cpu: "1", memory: "256Mi" } },
      agent: { requests: { cpu: "10m", memory: "48Mi" }, limits: { cpu: "200m", memory: "96Mi" } },
      adapter: { requests: { cpu: "10m", memory: "48Mi" }, limits: { cpu: "500m", memory: "128Mi" } },
      init: { requests: { cpu: "10m", memory: "16Mi" }, limits: { cpu: "200m", memory: "64Mi" } },
    },
  },
  monitor: { flushInterval: "5s" },
};

export type MeshConfigResult = { readonly config: MeshConfig } | { readonly errors: readonly string[] };

/** Reads `weft.yaml` and fills in the defaults, each key on its own; unknown keys are errors. undefined = all defaults. */
export function parseMeshConfig(raw: unknown): MeshConfigResult {
  const checked = checkSchema(MeshConfigFile, raw ?? {}, "");
  if (!checked.ok) return { errors: checked.faults };
  const ttl = (parseDuration(checked.value.certificates?.ttl ?? "24h") ?? Infinity) / 1000;
  if (ttl < 1 || ttl > 24 * 3600) return { errors: ["certificates.ttl must be between 1s and 24h"] };
  const config = fill(checked.value, ttl);
  const errors = [...findBadAddresses(config), ...findExcess(config)];
  return errors.length === 0 ? { config } : { errors };
}

/** What a proxy or an agent could not call would only be seen when the next pod does not start. */
function findBadAddresses({ controlPlane }: MeshConfig): readonly string[] {
  const target = parseEndpoint(controlPlane.xds);
  const urls = (["ca", "metrics"] as const).filter((name) => !/^https:\/\/[^\s/?#@]+$/.test(controlPlane[name]));
  return [
    ...(target === undefined || target.port === 0 ? ["controlPlane.xds must be HOST:PORT"] : []),
    ...urls.map((name) => `controlPlane.${name} must be https://HOST:PORT`),
  ];
}

/** The API server would refuse every pod whose sidecar requests more than its limit. */
function findExcess({ injection }: MeshConfig): readonly string[] {
  return Object.entries(injection.resources).flatMap(([container, { requests, limits }]) =>
    (["cpu", "memory"] as const)
      .filter((kind) => amountOf(requests[kind]) > amountOf(limits[kind]))
      .map((kind) => `injection.resources.${container}.requests.${kind} (${requests[kind]}) is more than the limit (${limits[kind]})`),
  );
}

function fill(file: MeshConfigFile, ttl: number): MeshConfig {
  const defaults = meshConfigDefaults;
  return {
    trustDomain: file.trustDomain ?? defaults.trustDomain,
    clusterDomain: file.clusterDomain ?? defaults.clusterDomain,
    tls: { ...defaults.tls, ...file.tls },
    access: { ...defaults.access, ...file.access },
    split: { ...defaults.split, ...file.split },
    certificates: { ttl },
    controlPlane: fillControlPlane(file.controlPlane ?? {}),
    images: { ...defaults.images, ...file.images },
    injection: { ...defaults.injection, ...file.injection, resources: fillResources(file.injection?.resources ?? {}) },
    monitor: { ...defaults.monitor, ...file.monitor },
  };
}

/** Another namespace moves the default addresses with it. */
function fillControlPlane(file: NonNullable<MeshConfigFile["controlPlane"]>): MeshConfig["controlPlane"] {
  const { namespace = meshConfigDefaults.controlPlane.namespace } = file;
  const host = `weft-controller.${namespace}.svc`;
  return { namespace, xds: `${host}:15010`, ca: `https://${host}:15012`, metrics: `https://${host}:3000`, ...file };
}

type FileResources = NonNullable<NonNullable<MeshConfigFile["injection"]>["resources"]>;

function fillResources(file: FileResources): MeshConfig["injection"]["resources"] {
  const { proxy, agent, adapter, init } = meshConfigDefaults.injection.resources;
  return {
    proxy: fillContainer(proxy, file.proxy),
    agent: fillContainer(agent, file.agent),
    adapter: fillContainer(adapter, file.adapter),
    init: fillContainer(init, file.init),
  };
}

function fillContainer(defaults: ContainerResources, file: FileResources["proxy"] = {}): ContainerResources {
  return { requests: { ...defaults.requests, ...file.requests }, limits: { ...defaults.limits, ...file.limits } };
}
