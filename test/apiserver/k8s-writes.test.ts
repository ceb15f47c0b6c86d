import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { applyObject } from "../../src/k8s/apply.ts";
import { secretKeyStore } from "../../src/k8s/authority-secret.ts";
import { createKubeClient, type KubeClient } from "../../src/k8s/client.ts";
import { startLeaderElection } from "../../src/k8s/lease.ts";
import { reviewToken } from "../../src/k8s/token-review.ts";
import { startApiServer, type TestApiServer } from "../support/apiserver.ts";

const logger = pino({ level: "silent" });
const waiting = { timeout: 20_000, interval: 50 };

let server: TestApiServer;
let client: KubeClient;
beforeAll(async () => {
  server = await startApiServer();
  client = createKubeClient(server.kubeconfig);
});
afterAll(() => server?.stop());

describe("createKubeClient", () => {
  it("tells status, reason and message of a refusal", async () => {
    await expect(client.request({ method: "GET", path: "/api/v1/namespaces/nowhere" })).rejects.toMatchObject({
      name: "ApiError",
      status: 404,
      reason: "NotFound",
      message: 'GET /api/v1/namespaces/nowhere: 404 namespaces "nowhere" not found',
    });
  });
});

describe("applyObject", () => {
  it("makes, changes, and removes what it no longer names", async () => {
    const path = "/api/v1/namespaces/default/configmaps/bundle";
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "bundle" } };

    await applyObject({ client, path, object: { ...object, data: { a: "1", b: "2" } } });
    await applyObject({ client, path, object: { ...object, data: { a: "3" } } });

    expect(await client.request({ method: "GET", path })).toMatchObject({ data: { a: "3" } });
    expect((await server.call("GET", path)).body).not.toMatchObject({ data: { b: "2" } });
  });
});

describe("secretKeyStore", () => {
  it("creates once, reads back, and replaces", async () => {
    const store = secretKeyStore({ client, namespace: "default", name: "authority" });
    expect(await store.read()).toBeUndefined();

    const created = await Promise.all([store.create({ key: "first é" }), store.create({ key: "first é" })]);
    expect(created.toSorted()).toEqual(["created", "exists"]);
    expect(await store.read()).toEqual({ key: "first é" });

    await store.write({ other: "second" });
    expect(await store.read()).toEqual({ other: "second" });
  });

  it("writes where nothing is", async () => {
    const store = secretKeyStore({ client, namespace: "default", name: "fresh" });

    await store.write({ a: "1" });

    expect(await store.read()).toEqual({ a: "1" });
  });
});

describe("reviewToken", () => {
  async function tokenFor(boundTo: object | undefined, audience: string): Promise<string> {
    const body = { spec: { audiences: [audience], expirationSeconds: 600, ...(boundTo === undefined ? {} : { boundObjectRef: boundTo }) } };
    const answer = await server.call("POST", "/api/v1/namespaces/default/serviceaccounts/web/token", body);
    return (answer.body as { status: { token: string } }).status.token;
  }

  it("attests the pod of a bound token, and refuses every other", async () => {
    await server.call("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "web" } });
    const spec = { serviceAccountName: "web", containers: [{ name: "app", image: "x" }] };
    const pod = await server.call("POST", "/api/v1/namespaces/default/pods", { metadata: { name: "web-1" }, spec });
    expect(pod.status).toBe(201);
    const { uid } = (pod.body as { metadata: { uid: string } }).metadata;
    const boundTo = { apiVersion: "v1", kind: "Pod", name: "web-1", uid };
    const token = await tokenFor(boundTo, "weft-ca");

    expect(await reviewToken(client, token, "weft-ca")).toEqual({ authenticated: true, namespace: "default", serviceAccount: "web", podName: "web-1", podUid: uid });
    expect(await reviewToken(client, await tokenFor(boundTo, "other"), "weft-ca")).toMatchObject({ authenticated: false });
    expect(await reviewToken(client, await tokenFor(undefined, "weft-ca"), "weft-ca")).toEqual({ authenticated: false, reason: "not bound to a pod" });
    expect(await reviewToken(client, "garbage", "weft-ca")).toMatchObject({ authenticated: false });
    expect(await reviewToken(client, server.token, "weft-ca")).toMatchObject({ authenticated: false });

    await server.call("DELETE", "/api/v1/namespaces/default/pods/web-1?gracePeriodSeconds=0");
    await vi.waitFor(async () => expect(await reviewToken(client, token, "weft-ca")).toMatchObject({ authenticated: false }), waiting);
  });
});

describe("startLeaderElection", () => {
  it("has one leader, and another at once when that one stops", async () => {
    const terms: { identity: string; signal: AbortSignal }[] = [];
    function join(identity: string) {
      return startLeaderElection({ client, namespace: "default", name: "weft", identity, logger, leaseSeconds: 3, onLeading: (signal) => terms.push({ identity, signal }) });
    }

    const a = join("a");
    await vi.waitFor(() => expect(a.isLeader()).toBe(true), waiting);
    const b = join("b");
    await vi.waitFor(async () => {
      const lease = await server.call("GET", "/apis/coordination.k8s.io/v1/namespaces/default/leases/weft");
      const { renewTime, acquireTime } = (lease.body as { spec: { renewTime: string; acquireTime: string } }).spec;
      expect(renewTime > acquireTime).toBe(true);
    }, waiting);
    expect(b.isLeader()).toBe(false);

    await a.stop();
    await vi.waitFor(() => expect(b.isLeader()).toBe(true), waiting);
    expect(terms.map(({ identity, signal }) => [identity, signal.aborted])).toEqual([
      ["a", true],
      ["b", false],
    ]);
    await b.stop();
  });

  it("steps down when the API server is away", async () => {
    const only = startLeaderElection({ client, namespace: "default", name: "lone", identity: "a", logger, leaseSeconds: 3, onLeading: () => undefined });
    await vi.waitFor(() => expect(only.isLeader()).toBe(true), waiting);

    await server.halt();
    await vi.waitFor(() => expect(only.isLeader()).toBe(false), { timeout: 3000, interval: 50 });

    await server.resume();
    await vi.waitFor(() => expect(only.isLeader()).toBe(true), waiting);
    await only.stop();
  });
});
