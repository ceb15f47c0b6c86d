import { request } from "node:https";
import jsonPatch, { type Operation } from "fast-json-patch";
import { pino } from "pino";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { AdmissionReviewAnswer } from "../../../src/api/admission.ts";
import type { Namespace } from "../../../src/api/kubernetes.ts";
import { startWebhook, type Webhook, type WebhookOptions } from "../../../webhook/start.ts";
import { call, type Called } from "./https-call.ts";
import { config, tlsConfig } from "./inject/mesh-fixture.ts";
import { manualCertificates, selfSigned } from "./self-signed.ts";
import { stillSource } from "./still-source.ts";

let material: Awaited<ReturnType<typeof selfSigned>>;
const running: Webhook[] = [];
const lines: Record<string, unknown>[] = [];

beforeAll(async () => {
  material = await selfSigned("first");
});
afterEach(async () => {
  for (const webhook of running.splice(0)) await webhook.stop();
  lines.length = 0;
});

function namespace(name: string, labels: Record<string, string>): Namespace {
  return { kind: "Namespace", metadata: { namespace: "", name, uid: name, labels, annotations: {}, creationTimestamp: "" } };
}

const shop = namespace("shop", { "weft.mesh/inject": "enabled" });
const books = tlsConfig("tls", { app: "books" });

async function start(options: Partial<WebhookOptions> = {}): Promise<Webhook> {
  const logger = pino({ level: "info" }, { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) });
  const webhook = await startWebhook({
    source: stillSource([shop, books]),
    config: () => config,
    servingPki: manualCertificates(material),
    listen: { host: "127.0.0.1", port: 0 },
    telemetry: { host: "127.0.0.1", port: 0 },
    logger,
    kubernetesVersion: "1.36",
    ...options,
  });
  running.push(webhook);
  return webhook;
}

function send(webhook: Webhook, body: string | undefined, path = "/mutate"): Promise<Called> {
  return call({ port: webhook.address.port, ca: material.caBundle, path, ...(body === undefined ? {} : { body }) });
}

/** A request whose body lacks its last byte; `sent` resolves when the rest is on its way. */
function openBody(port: number, length: number) {
  const opened = request({ host: "127.0.0.1", port, path: "/mutate", method: "POST", rejectUnauthorized: false, agent: false, headers: { "content-type": "application/json", "content-length": length } });
  opened.on("error", () => undefined);
  return { sent: new Promise((resolve) => opened.write(" ".repeat(length - 1), resolve)), close: () => opened.destroy() };
}

const pod = { metadata: { name: "books-1", labels: { app: "books" } }, spec: { containers: [{ name: "app", image: "app:1" }] } };

function review(request: object): string {
  const whole = { uid: "u-1", kind: { group: "", version: "v1", kind: "Pod" }, operation: "CREATE", namespace: "shop", object: pod, ...request };
  return JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request: whole });
}

async function ask(webhook: Webhook, request: object): Promise<AdmissionReviewAnswer["response"]> {
  const { status, body } = await send(webhook, review(request), "/mutate?timeout=10s");
  expect(status).toBe(200);
  const answer = JSON.parse(body) as AdmissionReviewAnswer;
  expect(answer).toMatchObject({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: { uid: "u-1" } });
  return answer.response;
}

describe("admission over HTTPS", () => {
  it("answers an injection with a patch that applies", async () => {
    const response = await ask(await start(), {});

    expect(response).toMatchObject({ allowed: true, patchType: "JSONPatch", auditAnnotations: { decision: "injected", code: "injected", rules: "tls-config" } });
    const patch = JSON.parse(Buffer.from(response.patch ?? "", "base64").toString()) as Operation[];
    const injected = jsonPatch.applyPatch(structuredClone(pod), patch, true).newDocument as { spec: { initContainers?: { name: string }[] } };
    expect(injected.spec.initContainers?.map(({ name }) => name)).toEqual(["weft-init", "weft-agent", "weft-proxy"]);
  });

  it("logs one line an admission, without the pod", async () => {
    await ask(await start(), { dryRun: true });

    const admissions = lines.filter(({ msg }) => msg === "admission");
    expect(admissions).toHaveLength(1);
    expect(admissions[0]).toMatchObject({ namespace: "shop", pod: "books-1", decision: "injected", code: "injected", rules: ["tls-config"], dryRun: true });
  });

  it("tells why it skips, in a warning of at most 120 characters", async () => {
    const response = await ask(await start(), { object: { ...pod, spec: { ...pod.spec, hostNetwork: true } } });

    expect(response).not.toHaveProperty("patch");
    expect(response).not.toHaveProperty("patchType");
    expect(response.warnings).toEqual(["weft: not injected: the pod uses the node's network, which is not redirected (host-network)"]);
  });

  it("cuts a long warning", async () => {
    const probe = { httpGet: { port: 80, host: "a".repeat(200) } };

    const { warnings } = await ask(await start(), { object: { ...pod, spec: { containers: [{ name: "app", livenessProbe: probe }] } } });

    expect(warnings).toEqual([`weft: liveness probe of 'app' stays as it is: it asks the host '${"a".repeat(55)}…`]);
    expect(warnings?.[0]).toHaveLength(120);
  });

  it("denies with a message", async () => {
    const response = await ask(await start(), { object: { ...pod, metadata: { labels: { "weft.mesh/inject": "yes" } } } });

    expect(response).toMatchObject({
      allowed: false,
      status: { code: 422, message: "the label weft.mesh/inject of the pod is 'yes'; it may be always or enabled or disabled (inject-value-invalid)" },
    });
  });

  it.each([
    ["a deletion", { operation: "DELETE", object: null }],
    ["another kind", { kind: { group: "apps", version: "v1", kind: "Deployment" } }],
    ["a subresource", { subResource: "eviction" }],
  ])("lets %s through", async (_name, request) => {
    expect(await ask(await start(), request)).toMatchObject({ allowed: true, auditAnnotations: { code: "not-a-pod-creation" } });
  });

  it("lets a pod with a __proto__ key through, and is not polluted by it", async () => {
    const webhook = await start();
    const body = review({ object: "OBJECT" }).replace('"OBJECT"', '{"__proto__":{"polluted":1},"metadata":{"labels":{"app":"books","__proto__":"x"}},"spec":{"containers":[{"name":"app"}],"__proto__":{"hostNetwork":true}}}');

    const { status, body: answer } = await send(webhook, body);

    expect(status).toBe(200);
    expect(JSON.parse(answer)).toMatchObject({ response: { allowed: true, auditAnnotations: { code: "injected" } } });
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });

  it("waits for a namespace that is not known yet", async () => {
    const source = stillSource([books]);
    const webhook = await start({ source, namespaceWait: 10_000 });

    const answer = ask(webhook, {});
    source.change([shop, books]);

    expect(await answer).toMatchObject({ auditAnnotations: { code: "injected" } });
  });
});

describe("a call that is no request", () => {
  it.each([
    ["not JSON", "{", 400, /the body is not JSON/],
    ["no review", '{"kind":"Pod"}', 400, /the body is no AdmissionReview/],
    ["null", "null", 400, /the body is no AdmissionReview/],
    ["another version", '{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview"}', 400, /'admission.k8s.io\/v1beta1'; admission.k8s.io\/v1 is/],
    ["no request", '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}', 400, /lacks request/],
    ["no uid", review({ uid: undefined }), 400, /request lacks uid/],
    ["no pod", review({ object: {} }), 400, /request.object is no Pod/],
    ["a version that is no text", '{"apiVersion":{"toString":1},"kind":"AdmissionReview"}', 400, /the review has the version ''/],
    ["a review without an end", `${review({ subResource: null }).slice(0, -2)},"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}}`, 400, /nested too deeply/],
    ["a pod without an end", review({ object: "POD" }).replace('"POD"', `{"metadata":{"labels":{"app":"books"},"annotations":${"[".repeat(100_000)}${"]".repeat(100_000)}},"spec":{}}`), 400, /nested too deeply/],
    ["more values than a pod has", review({ object: "POD" }).replace('"POD"', `{"spec":{"x":[${"[],".repeat(400_000)}1]}}`), 413, /more than 400000 values/],
    ["too large", "x".repeat(8 * 1024 * 1024 + 1), 413, /larger than 8388608 bytes/],
  ] as const)("%s is refused with a reason", async (...row) => {
    const [, body, status, message] = row;
    const answer = await send(await start(), body);

    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ kind: "Status", status: "Failure", code: status, message: expect.stringMatching(message) as unknown });
  });

  it.each([
    ["a label", { metadata: { labels: { app: { toString: 1 } } }, spec: pod.spec }, "no-resource-selects-pod"],
    ["a port", { ...pod, spec: { containers: [{ name: "app", livenessProbe: { httpGet: { port: { toString: 1 } } } }] } }, "injected"],
  ])("with an object for %s is read as far as it goes", async (_name, object, code) => {
    expect(await ask(await start(), { object })).toMatchObject({ auditAnnotations: { code } });
  });

  it("is refused while others hold what bodies may, and taken when they are gone", async () => {
    const webhook = await start();
    const open = Array.from({ length: 6 }, () => openBody(webhook.address.port, 8 * 1024 * 1024));
    await Promise.all(open.map(({ sent }) => sent));

    await expect.poll(async () => (await send(webhook, review({}))).status).toBe(503);
    expect(JSON.parse((await send(webhook, review({}))).body)).toMatchObject({ message: "weft: too many large requests come in at a time; try again" });
    for (const { close } of open) close();

    await expect.poll(async () => (await send(webhook, review({}))).status).toBe(200);
  });

  it.each(["application/yaml", "text/plain"])("of type %s is refused", async (type) => {
    const { port } = (await start()).address;

    expect(await call({ port, ca: material.caBundle, path: "/mutate", body: "a: b", type })).toMatchObject({ status: 415 });
  });

  it("of another path is told where to go", async () => {
    const answer = await send(await start(), "{}", "/validate");

    expect(answer.status).toBe(404);
    expect(answer.body).toContain("POST /mutate");
  });
});

describe("the server", () => {
  it("is ready only when every kind was listed", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const webhook = await start({ source: stillSource([shop], promise) });

    const before = await send(webhook, undefined, "/readyz");
    resolve();
    await promise;

    expect(before).toMatchObject({ status: 503, body: "the resources are not all listed yet\n" });
    expect(await send(webhook, undefined, "/readyz")).toMatchObject({ status: 200, body: "ok\n" });
    expect(await send(webhook, undefined, "/healthz")).toMatchObject({ status: 200 });
  });

  it("is not ready with an expired certificate", async () => {
    const servingPki = manualCertificates(material);
    const webhook = await start({ servingPki });
    servingPki.rotate({ ...material, expires: new Date(Date.now() - 1000) });

    expect(await send(webhook, undefined, "/readyz")).toMatchObject({ status: 503, body: "the serving certificate has expired\n" });
  });

  it("shows the new certificate after a rotation, and keeps the old one when the new is unusable", async () => {
    const servingPki = manualCertificates(material);
    const webhook = await start({ servingPki });
    const second = await selfSigned("second");

    servingPki.rotate(second);
    servingPki.rotate({ ...second, key: material.key });

    expect(await call({ port: webhook.address.port, ca: second.caBundle, path: "/healthz" })).toMatchObject({ status: 200, server: "second" });
  });

  it("counts by reason code", async () => {
    const webhook = await start();
    await ask(webhook, {});

    const text = await (await fetch(`http://127.0.0.1:${webhook.telemetry?.port}/metrics`)).text();

    expect(text).toContain('weft_admissions_total{code="injected"} 1');
    expect(text).toContain('weft_admissions_total{code="host-network"} 0');
    expect(text).toContain("weft_admission_duration_seconds_count 1");
  });

  it("leaves no server behind when one of its ports is taken", async () => {
    const { address } = await start();
    const { address: free } = await start();
    await running.pop()?.stop();

    await expect(start({ listen: free, telemetry: address })).rejects.toThrow(/EADDRINUSE/);
    await expect(send({ address: free, telemetry: undefined, stop: () => Promise.resolve() }, undefined, "/healthz")).rejects.toThrow(/ECONNREFUSED/);
  });

  it("follows the mesh configuration, and keeps the last good one", async () => {
    let now = config;
    const webhook = await start({ config: () => now });

    now = { ...config, controlPlane: { ...config.controlPlane, xds: "nonsense" } };
    const withBad = await ask(webhook, {});
    now = { ...config, injection: { ...config.injection, redirection: "none" } };
    const withGood = await ask(webhook, {});

    expect(Buffer.from(withBad.patch ?? "", "base64").toString()).toContain("weft-init");
    expect(Buffer.from(withGood.patch ?? "", "base64").toString()).not.toContain("weft-init");
    expect(lines.filter(({ level }) => level === 50)).toHaveLength(1);
  });
});
