import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { findFreePort, startApiServer, type TestApiServer } from "../support/apiserver.ts";

const configurations = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
let server: TestApiServer;
let webhook: ChildProcess;
let log: Promise<string>;
let port: number;
let directory: string;

beforeAll(async () => {
  server = await startApiServer();
  await server.call("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "weft-system" } });
  await server.call("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop", labels: { "weft.mesh/inject": "always" } } });
  await server.call("POST", configurations, configuration());
  port = await findFreePort();
  const main = join(import.meta.dirname, "../../src/cli/main.ts");
  directory = await mkdtemp(join(tmpdir(), "weft-webhook-"));
  await writeFile(join(directory, "weft.yaml"), "injection: {concurrency: 7}\n");
  const args = [main, "webhook", "--config", join(directory, "weft.yaml"), "--namespace", "weft-system", "--listen", `127.0.0.1:${port}`, "--telemetry", "127.0.0.1:0"];
  webhook = spawn(process.execPath, args, { env: { ...process.env, KUBECONFIG: server.kubeconfig }, stdio: ["ignore", "ignore", "pipe"] });
  log = webhook.stderr === null ? Promise.resolve("") : text(webhook.stderr);
});

afterAll(async () => {
  if (webhook?.exitCode === null) webhook.kill("SIGKILL");
  await server?.stop();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

/** As the chart renders it: both entries, by Service, without caBundle. */
function configuration(): object {
  const entry = {
    clientConfig: { service: { name: "weft-webhook", namespace: "weft-system", path: "/mutate" } },
    rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] }],
    namespaceSelector: { matchLabels: { "weft.mesh/inject": "enabled" } },
    admissionReviewVersions: ["v1"],
    sideEffects: "None",
  };
  const webhooks = ["namespace.weft.mesh", "pod.weft.mesh"].map((name) => ({ name, ...entry }));
  return { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration", metadata: { name: "weft" }, webhooks };
}

async function readBundles(): Promise<string[]> {
  const { body } = (await server.call("GET", `${configurations}/weft`)) as { body: { webhooks: { clientConfig: { caBundle?: string } }[] } };
  return body.webhooks.map(({ clientConfig }) => Buffer.from(clientConfig.caBundle ?? "", "base64").toString());
}

/** As the API server calls it: trusting the caBundle alone, by the Service's name. */
function call(ca: string, path: string, body?: string): Promise<{ readonly status: number | undefined; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path, ca, servername: "weft-webhook.weft-system.svc", method: body === undefined ? "GET" : "POST", agent: false as const };
    const sent = request({ ...options, headers: { "content-type": "application/json" } }, (response) => {
      void text(response).then((answer) => resolve({ status: response.statusCode, body: answer }));
    });
    sent.on("error", reject).end(body);
  });
}

it("makes its certificate, hands it to the API server, answers, follows its configuration, and ends at SIGTERM", async () => {
  await vi.waitFor(
    async () => {
      const bundles = await readBundles();
      if (bundles.some((bundle) => !bundle.includes("BEGIN CERTIFICATE"))) throw new Error("no caBundle yet");
    },
    { timeout: 30_000, interval: 200 },
  );
  const [bundle = "", second] = await readBundles();
  await vi.waitFor(async () => ((await call(bundle, "/readyz")).status === 200 ? undefined : Promise.reject(new Error("not ready"))), { timeout: 20_000, interval: 200 });
  const review = {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: { uid: "u", kind: { kind: "Pod" }, operation: "CREATE", namespace: "shop", object: { spec: { containers: [{ name: "app" }] } } },
  };

  const answer = await call(bundle, "/mutate", JSON.stringify(review));
  await writeFile(join(directory, "weft.yaml"), "injection: {excludedNamespaces: [shop]}\n");
  await vi.waitFor(async () => expect((await call(bundle, "/mutate", JSON.stringify(review))).body).toContain("namespace-excluded"), { timeout: 10_000, interval: 100 });
  const secret = await server.call("GET", "/api/v1/namespaces/weft-system/secrets/weft-webhook-serving");
  webhook.kill("SIGTERM");
  const [code] = (await once(webhook, "exit")) as [number | null];

  expect(second).toBe(bundle);
  expect(JSON.parse(answer.body)).toMatchObject({ response: { uid: "u", allowed: true, auditAnnotations: { code: "injected", rules: "always" } } });
  expect(Buffer.from((JSON.parse(answer.body) as { response: { patch: string } }).response.patch, "base64").toString()).toContain('"--concurrency","7"');
  expect(secret.status).toBe(200);
  expect(code).toBe(0);
  expect(await log).not.toContain("PRIVATE KEY");
});
