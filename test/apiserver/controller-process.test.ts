import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { buildCrds } from "../../src/api/crds.ts";
import { findFreePort, startApiServer, type TestApiServer } from "../support/apiserver.ts";

const waiting = { timeout: 40_000, interval: 100 };
const role = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
const monitors = "/apis/smi-spec.io/v1beta1/namespaces/shop/monitors";
let server: TestApiServer;
let controller: ChildProcess;
let log: Promise<string>;
let telemetry: string;

beforeAll(async () => {
  server = await startApiServer();
  await server.call("POST", role, { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name: "weft-controller" } });
  for (const name of ["weft-system", "shop"]) await server.call("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  for (const crd of buildCrds().values()) await server.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd);
  const monitor = { apiVersion: "smi-spec.io/v1beta1", kind: "Monitor", metadata: { name: "m" }, spec: { selector: { matchLabels: { app: "web" } } } };
  await vi.waitFor(async () => {
    const { status } = await server.call("POST", monitors, monitor);
    if (status !== 201) throw new Error(`Monitor: ${status}`);
  }, waiting);
  telemetry = `127.0.0.1:${await findFreePort()}`;
  const free = "127.0.0.1:0";
  const args = ["controller", "--namespace", "weft-system", "--xds", free, "--ca", free, "--metrics", free, "--telemetry", telemetry];
  const env = { ...process.env, KUBECONFIG: server.kubeconfig, POD_NAME: "weft-controller-0" };
  controller = spawn(process.execPath, [join(import.meta.dirname, "../../src/cli/main.ts"), ...args], { env, stdio: ["ignore", "ignore", "pipe"] });
  log = controller.stderr === null ? Promise.resolve("") : text(controller.stderr);
});

afterAll(async () => {
  if (controller?.exitCode === null) controller.kill("SIGKILL");
  await server?.stop();
});

async function read<T>(path: string): Promise<T> {
  const { status, body } = await server.call("GET", path);
  if (status !== 200) throw new Error(`${path}: ${status}`);
  return body as T;
}

async function probe(path: string): Promise<string> {
  const answer = await fetch(`http://${telemetry}${path}`);
  return `${answer.status} ${await answer.text()}`;
}

interface Owned {
  readonly metadata: { readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly uid: string }[] };
}

it("keeps its authority in a Secret, the trust bundle in every namespace and Monitors' addresses, and ends at SIGTERM", async () => {
  await vi.waitFor(async () => expect(await probe("/readyz")).toBe("200 ok\n"), waiting);
  const bundle = "/configmaps/weft-trust-bundle";
  await vi.waitFor(async () => read(`/api/v1/namespaces/shop${bundle}`), waiting);
  await server.call("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "later" } });
  await vi.waitFor(async () => read(`/api/v1/namespaces/later${bundle}`), waiting);
  const monitor = await vi.waitFor(async () => {
    const found = await read<{ status?: { metricsServer?: string } }>(`${monitors}/m`);
    if (found.status?.metricsServer === undefined) throw new Error("no status yet");
    return found;
  }, waiting);
  const owner = await read<{ metadata: { uid: string } }>(`${role}/weft-controller`);
  const secret = await read<Owned>("/api/v1/namespaces/weft-system/secrets/weft-ca");
  const shop = await read<Owned & { data: Record<string, string> }>(`/api/v1/namespaces/shop${bundle}`);
  const metrics = await probe("/metrics");

  controller.kill("SIGTERM");
  const [code] = (await once(controller, "exit")) as [number | null];

  expect(monitor.status?.metricsServer).toBe("https://weft-controller.weft-system.svc:3000/metrics/shop/m");
  expect(shop.data["trust-bundle.pem"]).toMatch(/^-----BEGIN CERTIFICATE-----/);
  const reference = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", name: "weft-controller", uid: owner.metadata.uid };
  expect([secret.metadata.ownerReferences, shop.metadata.ownerReferences]).toEqual([[reference], [reference]]);
  expect(metrics).toContain("weft_xds_connected_proxies 0");
  expect(code).toBe(0);
  const lines = await log;
  expect(lines).not.toMatch(/PRIVATE KEY|"level":50/);
  const lease = await read<{ spec: { holderIdentity?: string } }>("/apis/coordination.k8s.io/v1/namespaces/weft-system/leases/weft-controller");
  expect(lease.spec.holderIdentity ?? "").toBe("");
});
