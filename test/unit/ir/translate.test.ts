import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { brokenInvariants } from "../../support/ir-invariants.ts";
import { translate } from "../../../src/ir/translate.ts";
import type { ProxyIr } from "../../../src/ir/proxy-ir.ts";
import type { MeshObject } from "../../../src/api/objects.ts";
import { canary, endpoint, pod, service, servicePort, slice, snapshotOf, tlsConfig } from "../mesh/objects.ts";
import { meshes } from "./meshes.ts";

function irOf(key: string, ...objects: readonly MeshObject[]): ProxyIr | undefined {
  return translate(snapshotOf(...objects).snapshot, key);
}

describe("the IR of a proxy", () => {
  it("is there for pods in the mesh only", () => {
    const objects = [pod("web"), pod("plain", { containers: ["app"] })];

    expect(irOf("shop/plain", ...objects)).toBeUndefined();
    expect(irOf("shop/nobody", ...objects)).toBeUndefined();
    expect(irOf("shop/web", ...objects)?.key).toBe("shop/web");
  });

  it("says what comes in: the ports that Services send to, the mode, and whose certificates count", () => {
    const ir = irOf("shop/web", pod("web"), service("web"), service("raw", { selector: { app: "web" }, ports: [servicePort(7000)] }), tlsConfig("tls", { app: "web" }, { mode: "strict" }));

    expect(ir?.inbound).toEqual({ tlsMode: "strict", peerPrefix: "spiffe://weft.local/", ports: [{ number: 7000, protocol: "detect" }, { number: 8080, protocol: "http" }] });
  });

  it("splits a root over its backends' own servers, and leaves the backends reachable as they are", () => {
    const objects = [pod("client"), service("web", { clusterIps: ["10.97.0.1"] }), service("web-v1", { clusterIps: ["10.97.0.2"] }), service("web-v2"), canary("c", "web", { "web-v1": "1", "web-v2": "0", gone: "5" })];

    const shares = irOf("shop/client", ...objects)?.outbound.destinations.map(({ service: name, shares: own }) => [name, own.map(({ service: target, weight }) => [target, weight])]);

    expect(shares).toEqual([["web", [["web-v1", 1]]], ["web-v1", [["web-v1", 1]]], ["web-v2", [["web-v2", 1]]]]);
  });

  it("does not resolve a split through another one", () => {
    const objects = [pod("client"), ...["a", "b", "c"].map((name) => service(name)), canary("one", "a", { b: "1" }), canary("two", "b", { c: "1" })];

    const root = irOf("shop/client", ...objects)?.outbound.destinations.find(({ service: name }) => name === "a");

    expect(root?.shares).toEqual([{ namespace: "shop", service: "b", port: 80, weight: 1 }]);
  });

  it("shares what proxies have in common", () => {
    const { snapshot } = snapshotOf(...["a", "b", "c"].map((name) => pod(name, { labels: { app: "web" } })), service("web"), tlsConfig("tls", { app: "web" }));

    const irs = ["shop/a", "shop/b", "shop/c"].map((key) => translate(snapshot, key));

    expect(new Set(irs.map((ir) => ir?.outbound)).size).toBe(1);
    expect(new Set(irs.map((ir) => ir?.inbound)).size).toBe(1);
  });

  it("changes only in its servers when pods come and go", () => {
    const objects = [pod("web"), pod("late", { labels: { app: "web" } }), service("web", { clusterIps: ["10.97.0.1"] })];
    const before = irOf("shop/web", ...objects, slice("web-1", [endpoint("10.0.0.1", { pod: "web" })]));
    const after = irOf("shop/web", ...objects, slice("web-1", [endpoint("10.0.0.1", { pod: "web" }), endpoint("10.0.0.2", { pod: "late" })]));

    expect(after).not.toEqual(before);
    expect(withoutServers(after)).toEqual(withoutServers(before));
  });

  it("keeps its invariants, whatever the objects are", () => {
    fc.assert(
      fc.property(meshes, (objects) => {
        const { snapshot } = snapshotOf(...objects);
        const irs = [...snapshot.workloads.keys()].map((key) => translate(snapshot, key)).filter((ir) => ir !== undefined);

        expect(irs.flatMap(brokenInvariants)).toEqual([]);
      }),
    );
  });
});

function withoutServers(ir: ProxyIr | undefined) {
  return ir?.outbound.destinations.map((destination) => ({ ...destination, servers: [] }));
}

describe("the invariants", () => {
  const share = { namespace: "shop", service: "web", port: 80, weight: 1 };
  const destination = { namespace: "shop", service: "web", port: 80, protocol: "http" as const, addresses: ["10.97.0.1"], shares: [share], identities: ["spiffe://a/b"], servers: [{ address: "10.0.0.1", port: 8080, identity: "spiffe://a/b" }] };
  const ir: ProxyIr = { key: "shop/web", ipv6: false, inbound: { tlsMode: "strict", peerPrefix: "spiffe://a/", ports: [] }, outbound: { destinations: [destination] } };

  function withDestinations(...destinations: readonly object[]): ProxyIr {
    return { ...ir, outbound: { destinations: destinations.map((changes) => ({ ...destination, ...changes })) } };
  }

  it.each([
    ["nothing", ir, []],
    ["a weight of 0", withDestinations({ shares: [{ ...share, weight: 0 }] }), ["shop/web:80: weight 0 is no positive integer"]],
    ["a share that is no destination", withDestinations({ shares: [{ ...share, port: 81 }] }), ["shop/web:80: shop/web:81 is no destination"]],
    ["weights over the limit", withDestinations({ shares: [{ ...share, weight: 4_294_967_296 }] }), ["shop/web:80: the weights add up to 4294967296"]],
    ["an unknown identity", withDestinations({ identities: [] }), ["shop/web:80: the identity spiffe://a/b of a server is not among those that clients accept"]],
    ["an address twice", withDestinations({}, { service: "b", shares: [] }), ["address and port 10.97.0.1 80 stands twice"]],
    ["a prefix of a longer trust domain", { ...ir, inbound: { ...ir.inbound, peerPrefix: "spiffe://a" } }, ["the prefix of peers must end with a slash, or it would match longer trust domains"]],
  ])("tell of %s", (_what, broken, sentences) => {
    expect(brokenInvariants(broken)).toEqual(sentences);
  });
});
