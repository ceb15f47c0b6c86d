import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildResources } from "../../src/envoy/resources.ts";
import { translate } from "../../src/ir/translate.ts";
import { endpoint, pod, service, servicePort, slice, snapshotOf, tlsConfig } from "../unit/mesh/objects.ts";
import { startPods, type TestPod, type TestPods } from "./pods.ts";
import { createTestAuthority } from "../support/mesh-pki.ts";

/** Pods with addresses of both families: client → web (strict), by a Service of each family; an outsider without proxy. */
const addresses = { client: ["10.98.0.2", "fd98::2"], web: ["10.98.0.3", "fd98::3"], outsider: ["10.98.0.4", "fd98::4"] } as const;
const ports = [servicePort(80, { name: "http", targetPort: 8080 })];
const objects = [
  pod("client", { ips: addresses.client, serviceAccount: "client" }),
  pod("web", { ips: addresses.web, serviceAccount: "web" }),
  pod("outsider", { ips: addresses.outsider, containers: ["app"] }),
  service("web4", { clusterIps: ["10.97.0.1"], selector: { app: "web" }, ports }),
  slice("web4-1", [endpoint(addresses.web[0], { pod: "web" })]),
  service("web6", { clusterIps: ["fd97::1"], selector: { app: "web" }, ports }),
  slice("web6-1", [endpoint(addresses.web[1], { pod: "web" })], { addressType: "IPv6" }),
  tlsConfig("strict", { app: "web" }, { mode: "strict" }),
];

let pods: TestPods;
let client: TestPod;
let web: TestPod;
let outsider: TestPod;

/** Who answered, and from which address the application was called. */
async function get(from: TestPod, url: string): Promise<unknown> {
  const [answer] = await from.ask({ url });
  if (answer?.body === undefined) return answer;
  const { name, peer } = JSON.parse(answer.body) as { readonly name: string; readonly peer: string };
  return { name, peer };
}

beforeAll(async () => {
  const authority = await createTestAuthority();
  pods = await startPods("dual");
  client = await pods.add("client", "mesh");
  web = await pods.add("web", "mesh");
  outsider = await pods.add("outsider", "plain");
  const { snapshot } = snapshotOf(...objects);
  for (const one of [client, web]) {
    const ir = translate(snapshot, `shop/${one.name}`);
    if (ir === undefined) throw new Error(`${one.name} is not in the mesh`);
    one.configure(buildResources(ir));
    await one.startProxy(`spiffe://weft.local/ns/shop/sa/${one.name}`, authority);
  }
});

afterAll(() => pods.stop());

describe("between pods of both families", () => {
  it.each([
    ["http://[fd97::1]:80/", "::6"],
    ["http://10.97.0.1:80/", "127.0.0.6"],
  ])("%s arrives through both proxies", async (url, peer) => {
    expect(await get(client, url)).toEqual({ name: "web", peer });
  });

  it.each(["http://[fd98::3]:8080/", "http://10.98.0.3:8080/"])("%s in plaintext is refused", async (url) => {
    expect(await get(outsider, url)).toEqual({ error: expect.stringMatching(/ECONNRESET|socket hang up/) as string });
  });

  it.each([
    ["http://[fd98::4]:8080/", "fd98::2"],
    ["http://10.98.0.4:8080/", "10.98.0.2"],
  ])("%s, outside of the mesh, is called from the pod's own address", async (url, peer) => {
    expect(await get(client, url)).toEqual({ name: "outsider", peer });
  });

  it.each([
    ["http://[fd97::1]:80/", "::6"],
    ["http://10.97.0.1:80/", "127.0.0.6"],
  ])("%s works from the pod itself", async (url, peer) => {
    expect(await get(web, url)).toEqual({ name: "web", peer });
  });
});
