import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildResources } from "../../src/envoy/resources.ts";
import { translate } from "../../src/ir/translate.ts";
import type { MeshObject } from "../../src/api/objects.ts";
import { canary, endpoint, pod, service, servicePort, slice, snapshotOf, tlsConfig } from "../unit/mesh/objects.ts";
import { startPods, type TestPod, type TestPods } from "./pods.ts";
import { createTestAuthority } from "../support/mesh-pki.ts";
import type { Answer } from "./ask.ts";

/** client → web (10.97.0.1), split between web-v1 (strict) and web-v2 (permissive); an outsider without proxy. */
const addresses = { client: "10.98.0.2", "web-v1": "10.98.0.3", "web-v2": "10.98.0.4", outsider: "10.98.0.5" } as const;

const ports = [servicePort(80, { name: "http", targetPort: 8080 }), servicePort(9000, { name: "tcp-greet" }), servicePort(9100, { name: "look" }), servicePort(9200, { name: "grpc" })];
const slicePorts = [
  { name: "http", port: 8080, protocol: "TCP" },
  { name: "tcp-greet", port: 9000, protocol: "TCP" },
  { name: "look", port: 9100, protocol: "TCP" },
  { name: "grpc", port: 9200, protocol: "TCP" },
];

function webService(name: string, clusterIp: string, target: keyof typeof addresses): readonly MeshObject[] {
  const selector = { app: target };
  return [service(name, { clusterIps: [clusterIp], selector, ports }), slice(`${name}-1`, [endpoint(addresses[target], { pod: target })], { service: name, ports: slicePorts })];
}

const members = (["client", "web-v1", "web-v2"] as const).map((name) => pod(name, { ips: [addresses[name]], serviceAccount: name }));

function mesh(...more: readonly MeshObject[]): readonly MeshObject[] {
  return [
    ...members,
    pod("outsider", { ips: [addresses.outsider], containers: ["app"] }),
    ...webService("web", "10.97.0.1", "web-v1"),
    ...webService("web-v1", "10.97.0.2", "web-v1"),
    ...webService("web-v2", "10.97.0.3", "web-v2"),
    ...webService("outsider", "10.97.0.4", "outsider"),
    // The slice says that client's identity is behind web-v2's address: what a hijacked address looks like.
    service("hijacked", { clusterIps: ["10.97.0.5"], selector: undefined }),
    slice("hijacked-1", [endpoint(addresses["web-v2"], { pod: "client" })]),
    tlsConfig("strict", { app: "web-v1" }, { mode: "strict" }),
    ...more,
  ];
}

let pods: TestPods;
let client: TestPod;
let outsider: TestPod;
const proxied: TestPod[] = [];

function apply(...more: readonly MeshObject[]): void {
  const { snapshot } = snapshotOf(...mesh(...more));
  for (const one of proxied) {
    const ir = translate(snapshot, `shop/${one.name}`);
    if (ir !== undefined) one.configure(buildResources(ir));
  }
}

/** Asks until the proxies have what was applied. */
async function eventually(one: TestPod, url: string, name: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const [answer] = await one.ask({ url, count: 10 });
    if (answer?.names?.[name] !== undefined) return;
  }
  throw new Error(`${url} was never answered by ${name}`);
}

function told(answer: Answer | undefined): { readonly name?: string; readonly url?: string; readonly headers?: readonly string[]; readonly peer?: string } {
  return JSON.parse(answer?.body ?? "{}") as ReturnType<typeof told>;
}

beforeAll(async () => {
  const authority = await createTestAuthority();
  pods = await startPods();
  for (const name of ["client", "web-v1", "web-v2"]) proxied.push(await pods.add(name, "mesh"));
  outsider = await pods.add("outsider", "plain");
  const [first] = proxied;
  if (first === undefined) throw new Error("no client");
  client = first;
  apply();
  for (const one of proxied) await one.startProxy(`spiffe://weft.local/ns/shop/sa/${one.name}`, authority);
});

afterAll(() => pods.stop());

describe("generated configuration in real Envoys", () => {
  it("carries a request to a strict pod, without a header more than the application must see", async () => {
    const [answer] = await client.ask({ url: "http://10.97.0.1/a//b/../c?q=1", headers: { "X-Forwarded-Client-Cert": "By=forged", "x-mine": "1" } });

    expect(answer).toMatchObject({ status: 200, server: "application" });
    expect(told(answer)).toMatchObject({ name: "web-v1", url: "/a//b/../c?q=1", peer: "127.0.0.6" });
    expect(told(answer).headers).toEqual(["host", "10.97.0.1", "x-mine", "1", "x-forwarded-proto", "http"]);
  });

  it("refuses plaintext in a strict pod and accepts it in a permissive one", async () => {
    const [strict, strictTcp, strictOther, permissive, greeting] = await outsider.ask(
      { url: "http://10.98.0.3:8080/" },
      { host: "10.98.0.3", port: 9000, send: "" },
      { url: "http://10.98.0.3:9100/" },
      { url: "http://10.98.0.4:8080/" },
      { host: "10.98.0.4", port: 9000, send: "" },
    );

    expect(strict).toEqual({ error: "ECONNRESET" });
    expect(strictTcp?.text ?? strictTcp?.error).not.toContain("speaks first");
    expect(strictOther?.status).toBeUndefined();
    expect(permissive).toMatchObject({ status: 200 });
    expect(greeting).toEqual({ text: "web-v2 speaks first\n" });
  });

  it("passes bytes and the application's own TLS to a permissive pod, whatever is known of the port", async () => {
    const host = "10.98.0.4";
    const [bytes, ...greetings] = await outsider.ask(
      { host, port: 9100, send: "hello\n" },
      ...[8080, 9000, 9100, 9300].flatMap((port) => [{ host, port, tls: [] }, { host, port, tls: ["h2", "http/1.1"] }]),
    );

    expect(bytes).toEqual({ text: "web-v2 echoes hello\n" });
    // Each of these answers a TLS greeting with text: what the client makes of that shows that the greeting arrived.
    const answered = { error: "ERR_SSL_WRONG_VERSION_NUMBER" };
    expect(greetings).toEqual(Array.from({ length: 8 }, () => answered));
  });

  it("carries bytes of a server that speaks first, and tells HTTP from bytes on a port of unknown protocol", async () => {
    const [greeting, http, bytes] = await client.ask(
      { host: "10.97.0.1", port: 9000, send: "" },
      { url: "http://10.97.0.1:9100/x" },
      { host: "10.97.0.1", port: 9100, send: "hello\n" },
    );

    expect(greeting).toEqual({ text: "web-v1 speaks first\n" });
    expect(told(http)).toMatchObject({ name: "web-v1", url: "/x" });
    expect(bytes).toEqual({ text: "web-v1 echoes hello\n" });
  });

  it("speaks HTTP/2 to a server as the client does", async () => {
    const [answer] = await client.ask({ http2: "http://10.97.0.1:9200" });

    expect(told(answer)).toEqual({ name: "web-v1", url: "/h2", version: "2.0" });
  });

  it("reaches what is not in the mesh, by its service and past it", async () => {
    const [byService, byAddress] = await client.ask({ url: "http://10.97.0.4/" }, { url: "http://10.98.0.5:8080/" });

    expect(told(byService)).toMatchObject({ name: "outsider", peer: "10.98.0.2" });
    expect(told(byAddress)).toMatchObject({ name: "outsider", peer: "10.98.0.2" });
  });

  it("sends nothing to a server with another identity than the service has", async () => {
    const [answer, stats] = await client.ask({ url: "http://10.97.0.5/" }, { url: "http://127.0.0.1:15000/stats?filter=outbound_hijacked_shop_80.ssl" });

    expect(answer).toMatchObject({ status: 503 });
    expect(stats?.body).toMatch(/outbound_hijacked_shop_80\.ssl\.fail_verify_san: [1-9]/);
    expect(stats?.body).not.toMatch(/outbound_hijacked_shop_80\.ssl\.handshake: [1-9]/);
  });

  it("follows the weights of a canary while it runs, and answers 503 when they are all zero", async () => {
    apply(canary("rollout", "web", { "web-v1": 2, "web-v2": 1 }));
    await eventually(client, "http://10.97.0.1/", "web-v2");
    const [third, direct] = await client.ask({ url: "http://10.97.0.1/", count: 300 }, { url: "http://10.97.0.3/", count: 5 });
    apply(canary("rollout", "web", { "web-v1": 0, "web-v2": "500m" }));
    await eventually(client, "http://10.97.0.1:9100/", "web-v2");
    const [all] = await client.ask({ url: "http://10.97.0.1/", count: 50 });
    apply(canary("rollout", "web", { "web-v1": 0, "web-v2": 0 }));
    await eventually(client, "http://10.97.0.1/", "503");

    // 100 of 300 expected; 60 is five standard deviations away.
    expect(third?.names?.["web-v2"]).toBeGreaterThan(60);
    expect(third?.names?.["web-v2"]).toBeLessThan(140);
    expect(Object.keys(third?.names ?? {}).toSorted()).toEqual(["web-v1", "web-v2"]);
    expect(direct?.names).toEqual({ "web-v2": 5 });
    expect(all?.names).toEqual({ "web-v2": 50 });
  });

  it("closes what was sent to its own ports, and does not loop", async () => {
    const [outbound, inbound] = await outsider.ask({ host: "10.98.0.2", port: 15001, send: "x\n" }, { host: "10.98.0.2", port: 15006, send: "x\n" });

    expect([outbound?.text ?? "", inbound?.text ?? ""]).toEqual(["", ""]);
  });
});
