import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildResources } from "../../../src/envoy/resources.ts";
import { translate } from "../../../src/ir/translate.ts";
import { resourceTypes, type ResourceSet } from "../../../src/std/resource-set.ts";
import { parseStatName } from "../../../src/std/stat-name.ts";
import { formatResource } from "../../../src/xds/encode.ts";
import type { MeshObject } from "../../../src/api/objects.ts";
import { canary, endpoint, pod, service, servicePort, slice, snapshotOf, tlsConfig } from "../mesh/objects.ts";
import { meshes } from "../ir/meshes.ts";

function resourcesOf(key: string, ...objects: readonly MeshObject[]): ResourceSet {
  const ir = translate(snapshotOf(...objects).snapshot, key);
  if (ir === undefined) throw new Error(`${key} is not in the mesh`);
  return buildResources(ir);
}

/** Types in which two sets differ, by name. */
function changes(before: ResourceSet, after: ResourceSet): readonly string[] {
  return resourceTypes.flatMap((type) =>
    [...after[type]].filter(([name, resource]) => JSON.stringify(before[type].get(name)) !== JSON.stringify(resource)).map(([name]) => `${type} ${name}`),
  );
}

const web = [pod("web", { ips: ["10.0.0.1"] }), service("web", { clusterIps: ["10.97.0.1"] }), slice("web-1", [endpoint("10.0.0.1", { pod: "web" })])];
const versions = ["web-v1", "web-v2"].map((name) => service(name, { clusterIps: [name === "web-v1" ? "10.97.0.2" : "10.97.0.3"] }));

describe("a change", () => {
  const rollout = canary("rollout", "web", { "web-v1": 1, "web-v2": 1 });
  const before = resourcesOf("shop/web", ...web, ...versions, rollout);

  it("of a canary's weights touches one route and nothing else", () => {
    expect(changes(before, resourcesOf("shop/web", ...web, ...versions, canary("rollout", "web", { "web-v1": 1, "web-v2": 2 })))).toEqual(["route outbound_web_shop_80"]);
  });

  it("of endpoints touches one endpoint resource and nothing else", () => {
    const more = slice("web-2", [endpoint("10.0.0.9", { pod: "web" })]);

    expect(changes(before, resourcesOf("shop/web", ...web, ...versions, rollout, more))).toEqual(["endpoint outbound_web_shop_80"]);
  });

  it("of the TLS mode touches the inbound listener and nothing else", () => {
    expect(changes(before, resourcesOf("shop/web", ...web, ...versions, rollout, tlsConfig("tls", { app: "web" }, { mode: "strict" })))).toEqual(["listener inbound"]);
  });
});

describe("a split that nobody takes part in", () => {
  it("is 503 over HTTP and a closed connection over TCP", () => {
    const ports = [servicePort(80, { name: "http" }), servicePort(81, { name: "tcp" })];
    const set = resourcesOf("shop/web", pod("web"), service("root", { clusterIps: ["10.97.0.9"], ports }), service("backend", { ports }), canary("none", "root", { backend: 0 }));

    expect(JSON.stringify(set.route.get("outbound_root_shop_80"))).toContain('"directResponse":{"status":503');
    expect(JSON.stringify(set.listener.get("outbound"))).toContain('"name":"outbound_root_shop_81_raw","filterChainMatch":{"destinationPort":81,"prefixRanges":[{"addressPrefix":"10.97.0.9","prefixLen":32}]},"filters":[]');
  });
});

describe("a cluster", () => {
  it("accepts exactly the identities of its service, and has no TLS without any", () => {
    const mixed = [...web, pod("web-b", { labels: { app: "web" }, serviceAccount: "other" }), service("plain", { selector: { app: "none" } })];

    const set = resourcesOf("shop/web", ...mixed);

    const names = JSON.stringify(set.cluster.get("outbound_web_shop_80")).match(/"exact":"[^"]*"/g);
    expect(names).toEqual(['"exact":"spiffe://weft.local/ns/shop/sa/default"', '"exact":"spiffe://weft.local/ns/shop/sa/other"']);
    expect(set.cluster.get("outbound_plain_shop_80")).not.toHaveProperty("transportSocketMatches");
  });
});

describe("proxies", () => {
  it("of one mesh share every resource that is the same", () => {
    const { snapshot } = snapshotOf(...web, pod("client"), pod("web-b", { labels: { app: "web" } }), ...versions);

    const [first, second, client] = ["shop/web", "shop/web-b", "shop/client"].map((key) => {
      const ir = translate(snapshot, key);
      return ir === undefined ? undefined : buildResources(ir);
    });

    expect(second?.listener.get("inbound")).toBe(first?.listener.get("inbound"));
    expect(client?.listener.get("inbound")).not.toBe(first?.listener.get("inbound"));
    for (const type of ["cluster", "endpoint", "route"] as const) expect(client?.[type]).toBe(first?.[type]);
    expect(client?.listener.get("outbound")).toBe(first?.listener.get("outbound"));
  });

  it("get resources that are spelled as Envoy's protos say, and refer only to what there is", () => {
    fc.assert(
      fc.property(meshes, (objects) => {
        const { snapshot } = snapshotOf(...objects);
        const irs = [...snapshot.workloads.keys()].map((key) => translate(snapshot, key)).filter((ir) => ir !== undefined);

        expect(irs.flatMap((ir) => brokenReferences(buildResources(ir)))).toEqual([]);
      }),
    );
  });
});

/** What is referred to and not there, and names that statsd could not carry; encoding throws what the protos do not know. */
function brokenReferences(set: ResourceSet): readonly string[] {
  for (const type of resourceTypes) for (const resource of set[type].values()) formatResource(type, resource);
  const found: string[] = [];
  for (const type of resourceTypes) for (const resource of set[type].values()) collect(resource, set, found);
  return [...found, ...[...set.route.keys()].filter((name) => parseStatName(name)?.direction !== "outbound")];
}

/** Whether what stands under a key is there. */
const references: Readonly<Record<string, (name: string, set: ResourceSet) => boolean>> = {
  cluster: (name, set) => set.cluster.has(name),
  routeConfigName: (name, set) => set.route.has(name),
  serviceName: (name, set) => set.endpoint.has(name),
  statPrefix: (name) => /^[A-Za-z0-9_-]+$/.test(name),
};

function collect(value: unknown, set: ResourceSet, found: string[]): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, child] of Object.entries(value)) {
    if (key === "weightedClusters") found.push(...missingClusters(child, set));
    if (typeof child === "string" && references[key]?.(child, set) === false) found.push(`${key} ${child}`);
    collect(child, set, found);
  }
}

function missingClusters(value: unknown, set: ResourceSet): readonly string[] {
  const { clusters } = value as { readonly clusters: readonly { readonly name: string }[] };
  return clusters.filter(({ name }) => !set.cluster.has(name)).map(({ name }) => `weighted cluster ${name}`);
}

describe("a pod with an IPv6 address", () => {
  const two = ["one", "two"].map((name, index) => pod(name, { ips: [`10.0.0.${index + 1}`, `fd00::${index + 1}`] }));
  const { snapshot } = snapshotOf(...web, ...two, pod("three", { ips: ["10.0.0.9"] }));
  const [one, other, ipv4] = ["one", "two", "three"].map((name) => {
    const ir = translate(snapshot, `shop/${name}`);
    if (ir === undefined) throw new Error(`${name} is not in the mesh`);
    return buildResources(ir);
  });

  it("is reached by it and reaches its application by it; all else is as without", () => {
    if (one === undefined || ipv4 === undefined) throw new Error("no resources");

    expect(changes(ipv4, one)).toEqual(["cluster inbound", "listener inbound", "listener outbound"]);
    expect(one.listener.get("inbound")).toMatchObject({ additionalAddresses: [{ address: { socketAddress: { address: "::", portValue: 15006 } } }] });
    expect(one.listener.get("outbound")).toMatchObject({ additionalAddresses: [{ address: { socketAddress: { address: "::", portValue: 15001 } } }] });
    expect(one.cluster.get("inbound")).toMatchObject({
      upstreamBindConfig: { sourceAddress: { address: "127.0.0.6", portValue: 0 }, extraSourceAddresses: [{ address: { address: "::6", portValue: 0 } }] },
    });
    expect(JSON.stringify([...ipv4.listener.values(), ...ipv4.cluster.values()])).not.toContain("::");
  });

  it("is given the same objects as another one", () => {
    expect(other?.listener.get("outbound")).toBe(one?.listener.get("outbound"));
    expect(other?.cluster).toBe(one?.cluster);
  });
});
