/** The application of seed 000's workflow, on a cluster: foobar in two versions, and web, which calls it. */
import { appSource } from "../../src/cli/demo/app-source.ts";
import { apply, kubectl } from "./kubectl.ts";

export const shop = "weft-e2e-shop";
/** A namespace that did not opt in. */
export const outside = "weft-e2e-outside";

/** Its containers run Node from weft's own image: no second image to load. */
export const image = process.env["WEFT_IMAGE"] ?? "weft/weft:0.1.0";

export function namespace(name: string, labels: Record<string, string> = {}): object {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

export function service(name: string, selector: Record<string, string>): object {
  return { apiVersion: "v1", kind: "Service", metadata: { name, namespace: shop }, spec: { selector, ports: [{ name: "http", port: 80, targetPort: "http" }] } };
}

export function deployment(name: string, labels: Record<string, string>, where = shop): object {
  const container = {
    name: "app",
    image,
    imagePullPolicy: "IfNotPresent",
    command: ["node"],
    args: ["-e", appSource, name, "8080"],
    // The image's own user is the sidecars', whose traffic is not redirected.
    securityContext: { runAsUser: 10_001 },
    ports: [{ name: "http", containerPort: 8080 }],
    readinessProbe: { httpGet: { port: "http", path: "/" }, periodSeconds: 1 },
    lifecycle: { preStop: { sleep: { seconds: 3 } } },
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: where },
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 10, containers: [container] } } },
  };
}

export function tlsConfig(mode: "permissive" | "strict"): object {
  const spec = { mode, subjectNames: [`foobar.${shop}.svc`], selector: { matchLabels: { app: "foobar" } } };
  return { apiVersion: "smi-spec.io/v1beta1", kind: "TLSConfig", metadata: { name: "my-tls-config", namespace: shop }, spec };
}

export function canary(backends: Readonly<Record<string, string | number>>): object {
  const spec = { service: "foobar", backends: Object.entries(backends).map(([name, weight]) => ({ service: name, weight })) };
  return { apiVersion: "smi-spec.io/v1beta1", kind: "Canary", metadata: { name: "foobar-rollout", namespace: shop }, spec };
}

export function monitor(metricLabels: Record<string, string>): object {
  return { apiVersion: "smi-spec.io/v1beta1", kind: "Monitor", metadata: { name: "my-monitor", namespace: shop }, spec: { selector: { matchLabels: { app: "foobar" } }, metricLabels } };
}

export async function roll(name: string, where = shop): Promise<void> {
  await kubectl("-n", where, "rollout", "status", `deployment/${name}`, "--timeout=120s");
}

/** Asks the application of a deployment to call `url` `times` times; how often each answer came. */
export async function call(from: { readonly deployment: string; readonly namespace: string }, url: string, times: number): Promise<Record<string, number>> {
  const query = new URLSearchParams({ url, times: String(times) });
  const script = `require("node:http").get("http://127.0.0.1:8080/call?${query.toString()}", (r) => r.pipe(process.stdout))`;
  const answer = await kubectl("-n", from.namespace, "exec", `deployment/${from.deployment}`, "-c", "app", "--", "node", "-e", script);
  return JSON.parse(answer) as Record<string, number>;
}

export const web = { deployment: "web", namespace: shop } as const;

/** What a team has before any mesh. */
export async function applyShop(): Promise<void> {
  await apply(
    service("foobar", { app: "foobar" }),
    service("foobar-v1", { app: "foobar", version: "v1" }),
    deployment("foobar-v1", { app: "foobar", version: "v1" }),
    deployment("web", { app: "web" }),
  );
}
