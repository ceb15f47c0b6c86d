import { formatDocuments } from "../../files/yaml.ts";
import { appSource } from "./app-source.ts";
import { demoNetwork } from "./network.ts";

/** The pods of the tour; `stranger` stays outside the mesh. */
export const demoPods = ["web", "foobar-v1", "foobar-v2", "stranger"] as const;
export type DemoPod = (typeof demoPods)[number];

export const appPort = 8080;

/** `weft.yaml`: where the control plane of the demo answers. */
export function meshConfig(): object {
  const { host } = demoNetwork;
  return {
    controlPlane: { xds: `${host}:15010`, ca: `https://${host}:15012`, metrics: `https://${host}:3000` },
    monitor: { flushInterval: "1s" },
  };
}

/** Namespace, accounts and Services: what an application team has before any mesh. */
export function applicationDocuments(): object[] {
  const accounts = ["web", "foobar"].map((name) => ({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace: "demo" } }));
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "demo", labels: { "weft.mesh/inject": "enabled" } } },
    ...accounts,
    service("web", { app: "web" }, 0),
    service("foobar", { app: "foobar" }, 1),
    service("foobar-v1", { app: "foobar", version: "v1" }, 2),
    service("foobar-v2", { app: "foobar", version: "v2" }, 3),
  ];
}

function service(name: string, selector: Record<string, string>, index: number): object {
  const ports = [{ name: "http", port: 80, targetPort: "http" }];
  return { apiVersion: "v1", kind: "Service", metadata: { name, namespace: "demo" }, spec: { clusterIP: demoNetwork.service(index), selector, ports } };
}

/** The virtual address of a Service of the demo. */
export const serviceAddresses = { foobar: demoNetwork.service(1), "foobar-v2": demoNetwork.service(3) } as const;

/** A pod as its owner writes it, before injection. */
export function podDocument(name: DemoPod): object {
  const [app = name, version] = name.split("-");
  const labels = { app, ...(version === undefined ? {} : { version }), ...(name === "stranger" ? { "weft.mesh/inject": "disabled" } : {}) };
  const container = {
    name: "app",
    image: "example.test/app:1",
    command: ["node"],
    args: ["-e", appSource, name, String(appPort)],
    ports: [{ name: "http", containerPort: appPort }],
    readinessProbe: { httpGet: { port: "http", path: "/" } },
  };
  const serviceAccountName = app === "stranger" ? "default" : app;
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "demo", labels }, spec: { serviceAccountName, containers: [container] } };
}

/** The TLSConfig of seed 000, on every pod of the namespace. */
export function tlsConfig(mode: "permissive" | "strict"): object {
  return {
    apiVersion: "smi-spec.io/v1beta1",
    kind: "TLSConfig",
    metadata: { name: "my-tls-config", namespace: "demo" },
    spec: { mode, subjectNames: ["foobar.demo.svc", "shop.example.com"], selector: { matchLabels: { app: "foobar" } } },
  };
}

/** The Canary of seed 000's workflow. */
export function canary(backends: Readonly<Record<string, string | number>>): object {
  return {
    apiVersion: "smi-spec.io/v1beta1",
    kind: "Canary",
    metadata: { name: "foobar-rollout", namespace: "demo" },
    spec: { service: "foobar", backends: Object.entries(backends).map(([name, weight]) => ({ service: name, weight })) },
  };
}

/** The Monitor of seed 000. */
export function monitor(metricLabels: Readonly<Record<string, string>>): object {
  return {
    apiVersion: "smi-spec.io/v1beta1",
    kind: "Monitor",
    metadata: { name: "my-monitor", namespace: "demo" },
    spec: { selector: { matchLabels: { app: "foobar" } }, metricLabels },
  };
}

export function asYaml(documents: readonly object[]): string {
  return formatDocuments([...documents], "yaml");
}
