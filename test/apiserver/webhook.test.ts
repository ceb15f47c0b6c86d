import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { applyObject } from "../../src/k8s/apply.ts";
import { createKubeClient } from "../../src/k8s/client.ts";
import { startK8sSource } from "../../src/k8s/source.ts";
import type { ObjectSource } from "../../src/api/objects.ts";
import { keepCaBundle } from "../../webhook/ca-bundle.ts";
import { startWebhook, type Webhook } from "../../webhook/start.ts";
import { startApiServer, type TestApiServer } from "../support/apiserver.ts";
import { config } from "../unit/webhook/inject/mesh-fixture.ts";
import { manualCertificates, selfSigned } from "../unit/webhook/self-signed.ts";

type Json = Readonly<Record<string, unknown>>;
interface Answer {
  readonly status: number;
  readonly body: { readonly message?: string; readonly metadata?: Json; readonly spec?: Readonly<Record<string, readonly Json[] | undefined>> };
}

const configurations = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const logger = pino({ level: "silent" });
const app = { name: "app", image: "app:1" };
let server: TestApiServer;
let source: ObjectSource;
let webhook: Webhook;
let keeper: { stop(): Promise<void> } | undefined;

async function createNamespace(name: string, labels: Record<string, string>): Promise<void> {
  await server.call("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
  // There is no controller that would make it.
  await server.call("POST", `/api/v1/namespaces/${name}/serviceaccounts`, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } });
}

async function createPod(namespace: string, pod: { readonly metadata: Json; readonly spec: Json }, query = ""): Promise<Answer> {
  return (await server.call("POST", `/api/v1/namespaces/${namespace}/pods${query}`, { apiVersion: "v1", kind: "Pod", ...pod })) as Answer;
}

function names(list: readonly Json[] | undefined): unknown[] {
  return (list ?? []).map(({ name }) => name);
}

/** As the chart's, but called by URL: there is no Service on this machine. No caBundle yet. */
function configuration(port: number): object {
  const entry = {
    name: "namespace.weft.mesh",
    clientConfig: { url: `https://127.0.0.1:${port}/mutate` },
    rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"], scope: "Namespaced" }],
    namespaceSelector: { matchExpressions: [{ key: "weft.mesh/inject", operator: "Exists" }] },
    admissionReviewVersions: ["v1"],
    sideEffects: "None",
    failurePolicy: "Fail",
    reinvocationPolicy: "IfNeeded",
    timeoutSeconds: 5,
  };
  return { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration", metadata: { name: "weft" }, webhooks: [entry] };
}

/** The API server takes a moment to see a new configuration. */
async function untilCalled(): Promise<void> {
  const { body } = await createPod("bad", { metadata: { name: "probe" }, spec: { containers: [app] } }, "?dryRun=All");
  if (body.message?.includes("inject-value-invalid") !== true) throw new Error(`the webhook is not called yet: ${body.message}`);
}

beforeAll(async () => {
  server = await startApiServer();
  const client = createKubeClient(server.kubeconfig);
  source = startK8sSource({ client, kinds: ["Namespace"], logger });
  const servingPki = manualCertificates(await selfSigned("webhook"));
  const listen = { host: "127.0.0.1", port: 0 };
  webhook = await startWebhook({ source, config: () => config, servingPki, listen, logger, kubernetesVersion: "1.36", namespaceWait: 5000 });
  await server.call("POST", configurations, configuration(webhook.address.port));
  const written = Promise.withResolvers<void>();
  keeper = keepCaBundle({
    certificates: servingPki,
    apply: async (object) => {
      await applyObject({ client, path: `${configurations}/weft`, object, fieldManager: "weft-webhook" });
      written.resolve();
    },
    webhooks: ["namespace.weft.mesh"],
    logger,
    retry: 100,
  });
  await written.promise;
  await createNamespace("shop", { "weft.mesh/inject": "always" });
  await createNamespace("bad", { "weft.mesh/inject": "yes" });
  await vi.waitFor(untilCalled, { timeout: 20_000, interval: 200 });
});

afterAll(async () => {
  await keeper?.stop();
  await webhook?.stop();
  await source?.stop();
  await server?.stop();
});

describe("a real API server", () => {
  it("keeps the chart's fields beside the caBundle that the webhook applied", async () => {
    const { body } = (await server.call("GET", `${configurations}/weft`)) as { body: { webhooks: Json[]; metadata: { managedFields: Json[] } } };

    expect(body.webhooks).toHaveLength(1);
    expect(body.webhooks[0]).toMatchObject({ failurePolicy: "Fail", clientConfig: { caBundle: expect.stringMatching(/^LS0t/) as unknown, url: expect.any(String) as unknown } });
    expect(body.metadata.managedFields.map(({ manager }) => manager)).toContain("weft-webhook");
  });

  it("accepts an injected pod, and stores it as the order contract says", async () => {
    const spec = {
      initContainers: [{ name: "prepare", image: "prepare:1" }],
      containers: [{ ...app, ports: [{ name: "http", containerPort: 8080 }], livenessProbe: { httpGet: { path: "/live", port: "http" } } }],
    };

    const { status, body } = await createPod("shop", { metadata: { generateName: "books-" }, spec });

    expect([status, body.message]).toEqual([201, undefined]);
    expect(names(body.spec?.["initContainers"])).toEqual(["weft-init", "weft-agent", "weft-proxy", "prepare"]);
    expect(names(body.spec?.["containers"])).toEqual(["app"]);
    expect(body.spec?.["containers"]?.[0]).toMatchObject({ livenessProbe: { httpGet: { path: "/probes/app/liveness", port: 15020 } } });
    expect(names(body.spec?.["volumes"])).toEqual(expect.arrayContaining(["weft-run", "weft-token", "weft-trust-bundle"]));
  });

  it("accepts a pod that declares resources as a whole, smaller than ours together", async () => {
    const amounts = { cpu: "20m", memory: "32Mi" };

    const { status, body } = await createPod("shop", { metadata: { name: "small" }, spec: { resources: { requests: amounts, limits: amounts }, containers: [app] } });

    expect([status, body.message]).toEqual([201, undefined]);
  });

  it("answers a dry run as any other", async () => {
    const { status, body } = await createPod("shop", { metadata: { name: "dry" }, spec: { containers: [app] } }, "?dryRun=All");

    expect(status).toBe(201);
    expect(names(body.spec?.["initContainers"])).toEqual(["weft-init", "weft-agent", "weft-proxy"]);
  });

  it("shows the person why a pod is denied", async () => {
    const { status, body } = await createPod("shop", { metadata: { name: "mine" }, spec: { containers: [{ ...app, securityContext: { runAsUser: 1337 } }] } });

    expect(status).toBe(422);
    expect(body.message).toBe(
      'admission webhook "namespace.weft.mesh" denied the request: container \'app\' would run as UID 1337, which is the proxy\'s, and so bypass it; set another runAsUser (proxy-uid-collision)',
    );
  });

  it("lets a pod that opted out through as it is", async () => {
    const { status, body } = await createPod("shop", { metadata: { name: "out", labels: { "weft.mesh/inject": "disabled" } }, spec: { containers: [app] } });

    expect(status).toBe(201);
    expect(body.spec?.["initContainers"]).toBeUndefined();
  });

  it("injects the first pod of a namespace that was made a moment before", async () => {
    await createNamespace("fresh", { "weft.mesh/inject": "always" });

    const { body } = await createPod("fresh", { metadata: { name: "first" }, spec: { containers: [app] } });

    expect(names(body.spec?.["initContainers"])).toContain("weft-proxy");
  });
});
