import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createKubeClient } from "../../src/k8s/client.ts";
import { startK8sSource } from "../../src/k8s/source.ts";
import type { ObjectSource } from "../../src/api/objects.ts";
import { annotationTable } from "../../webhook/inject/annotation-table.ts";
import { startWebhook, type Webhook } from "../../webhook/start.ts";
import { startApiServer, type TestApiServer } from "../support/apiserver.ts";
import { config } from "../unit/webhook/inject/mesh-fixture.ts";
import { manualCertificates, selfSigned } from "../unit/webhook/self-signed.ts";

type Json = Readonly<Record<string, unknown>>;
interface Answer {
  readonly status: number;
  readonly body: { readonly message?: string; readonly metadata?: Json; readonly spec?: Readonly<Record<string, readonly Json[] | undefined>> };
}

const logger = pino({ level: "silent" });
/** What Pod Security `restricted` asks of the user's own container. */
const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] }, runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } };
const app = { name: "app", image: "app:1", securityContext };
let server: TestApiServer;
let source: ObjectSource;
let webhook: Webhook;

async function createNamespace(name: string, labels: Record<string, string>, annotations: Record<string, string> = {}): Promise<void> {
  await server.call("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name, labels: { "weft.mesh/inject": "always", ...labels }, annotations } });
  await server.call("POST", `/api/v1/namespaces/${name}/serviceaccounts`, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } });
}

async function createPod(namespace: string, annotations: Record<string, string>, name = "books"): Promise<Answer> {
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { generateName: `${name}-`, annotations }, spec: { containers: [app] } };
  return (await server.call("POST", `/api/v1/namespaces/${namespace}/pods`, pod)) as Answer;
}

function names({ body }: Answer): unknown[] {
  return (body.spec?.["initContainers"] ?? []).map(({ name }) => name);
}

function argumentsOf({ body }: Answer, container: string): string {
  const found = (body.spec?.["initContainers"] ?? []).find(({ name }) => name === container);
  return ((found?.["args"] ?? []) as readonly string[]).join(" ");
}

/** The API server takes a moment to see a new configuration. */
async function untilCalled(): Promise<void> {
  if (!names(await createPod("shop", {}, "probe")).includes("weft-proxy")) throw new Error("the webhook is not called yet");
}

beforeAll(async () => {
  server = await startApiServer();
  source = startK8sSource({ client: createKubeClient(server.kubeconfig), kinds: ["Namespace"], logger });
  const servingPki = manualCertificates(await selfSigned("webhook"));
  webhook = await startWebhook({ source, config: () => config, servingPki, listen: { host: "127.0.0.1", port: 0 }, logger, kubernetesVersion: "1.36", namespaceWait: 5000 });
  const entry = {
    name: "namespace.weft.mesh",
    clientConfig: { url: `https://127.0.0.1:${webhook.address.port}/mutate`, caBundle: Buffer.from(servingPki.current().caBundle).toString("base64") },
    rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"], scope: "Namespaced" }],
    namespaceSelector: { matchExpressions: [{ key: "weft.mesh/inject", operator: "Exists" }] },
    admissionReviewVersions: ["v1"],
    sideEffects: "None",
    failurePolicy: "Fail",
    reinvocationPolicy: "IfNeeded",
    timeoutSeconds: 5,
  };
  const configuration = { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration", metadata: { name: "weft" }, webhooks: [entry] };
  await server.call("POST", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", configuration);
  await createNamespace("shop", {}, { "weft.mesh/log-level": "error", "weft.mesh/concurrency": "5" });
  await createNamespace("restricted", { "pod-security.kubernetes.io/enforce": "restricted" });
  await vi.waitFor(untilCalled, { timeout: 20_000, interval: 200 });
});

afterAll(async () => {
  await webhook?.stop();
  await source?.stop();
  await server?.stop();
});

describe("a namespace that enforces Pod Security restricted", () => {
  it.each(["none", "cni"])("takes an injected pod with redirection: %s", async (redirection) => {
    const answer = await createPod("restricted", { "weft.mesh/redirection": redirection });

    expect([answer.status, answer.body.message]).toEqual([201, undefined]);
    expect(names(answer)).toEqual(["weft-agent", "weft-proxy"]);
  });

  it.each(["on", "off"])("takes one with native sidecars %s", async (native) => {
    const answer = await createPod("restricted", { "weft.mesh/redirection": "none", "weft.mesh/native-sidecars": native });

    expect([answer.status, answer.body.message]).toEqual([201, undefined]);
  });

  it("refuses weft-init, and nothing else of ours", async () => {
    const { status, body } = await createPod("restricted", {});

    expect(status).toBe(403);
    expect(body.message).toContain('container "weft-init" must not include "NET_ADMIN", "NET_RAW"');
    expect(body.message).not.toMatch(/weft-agent|weft-proxy/);
  });
});

describe("annotations before a real API server", () => {
  it.each(Object.entries(annotationTable))("%s with its example gives a pod that it accepts", async (name, { example }) => {
    const answer = await createPod("shop", { [`weft.mesh/${name}`]: example });

    expect([answer.status, answer.body.message]).toEqual([201, undefined]);
  });

  it("of the namespace stand in for what the pod does not say", async () => {
    const answer = await createPod("shop", { "weft.mesh/concurrency": "3" });

    expect(argumentsOf(answer, "weft-proxy")).toMatch(/--concurrency 3 --log-level error /);
  });

  it("that are wrong are refused together, in words for the person", async () => {
    const { status, body } = await createPod("shop", { "weft.mesh/concurrency": "0", "weft.mesh/env": '{"WEFT_POD":"x"}' });

    expect(status).toBe(422);
    expect(body.message).toBe(
      [
        'admission webhook "namespace.weft.mesh" denied the request: weft.mesh/concurrency is "0", and must be a whole number from 1 to 64',
        String.raw`weft.mesh/env is "{\"WEFT_POD\":\"x\"}", and must be a JSON object of at most 64 texts by names like NAME_1, none of which begins with WEFT_ (annotations-invalid)`,
      ].join("; "),
    );
  });
});
