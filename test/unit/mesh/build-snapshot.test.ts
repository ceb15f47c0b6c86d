import { describe, expect, it } from "vitest";
import { buildSnapshot } from "../../../src/mesh/build-snapshot.ts";
import { defaults, endpoint, meta, monitor, objects, pod, service, servicePort, slice, snapshotOf, tlsConfig } from "./objects.ts";
import type { MeshObject } from "../../../src/api/objects.ts";

function endpointsOf(...list: readonly MeshObject[]): readonly string[] {
  const port = snapshotOf(...list).snapshot.services.get("shop/web")?.ports[0];
  return (port?.endpoints ?? []).map(({ address, port: number, workload, identity }) => [`${address}:${number}`, workload, identity].filter((part) => part !== "").join(" "));
}

const web = service("web", { clusterIps: ["10.97.0.1"] });

describe("workloads", () => {
  it("are the pods that can have traffic of their own", () => {
    const { snapshot } = snapshotOf(
      pod("member", { ips: ["10.0.0.1"], serviceAccount: "robot" }),
      pod("outsider", { containers: ["app"] }),
      pod("finished", { ended: true }),
      pod("leaving", { ended: true, terminating: true }),
      pod("host", { hostNetwork: true }),
    );

    expect([...snapshot.workloads.values()].map(({ key, inMesh }) => [key, inMesh])).toEqual([
      ["shop/leaving", true],
      ["shop/member", true],
      ["shop/outsider", false],
    ]);
    expect(snapshot.workloads.get("shop/member")).toMatchObject({ identity: "spiffe://weft.local/ns/shop/sa/robot", addresses: ["10.0.0.1"] });
  });

  it("are in the mesh when they would be injected", () => {
    const { snapshot } = buildSnapshot(objects(pod("web", { containers: ["app"] })), { config: defaults, isInjected: ({ metadata }) => metadata.name === "web" });

    expect(snapshot.workloads.get("shop/web")?.inMesh).toBe(true);
  });

  it("know what Services send to their ports, ready or not", () => {
    const named = service("named", {
      selector: { app: "web" },
      ports: [servicePort(80, { name: "http", targetPort: "web" }), servicePort(81, { name: "grpc", targetPort: "missing" }), servicePort(53, { name: "dns", protocol: "UDP" })],
    });
    const plain = service("plain", { selector: { app: "web" }, ports: [servicePort(9000)] });
    const { snapshot } = snapshotOf(pod("web", { ready: false, ports: [{ name: "web", port: 8080, protocol: "TCP" }] }), named, plain);

    expect([...(snapshot.workloads.get("shop/web")?.ports ?? [])]).toEqual([
      [8080, "http"],
      [9000, "detect"],
    ]);
  });
});

describe("TLS settings", () => {
  it("join the names of all TLSConfigs, and the strictest mode wins", () => {
    const { snapshot, problems } = snapshotOf(
      pod("web", { labels: { app: "web", tier: "front" } }),
      pod("api"),
      tlsConfig("a", { app: "web" }, { subjectNames: ["web.example.com", "b.example.com"], mode: "strict" }),
      tlsConfig("b", { tier: "front" }, { subjectNames: ["a.example.com", "b.example.com"], mode: "permissive" }),
      tlsConfig("c", { app: "other" }, { subjectNames: ["c.example.com"] }),
    );

    expect(snapshot.workloads.get("shop/web")).toMatchObject({ tlsMode: "strict", subjectNames: ["a.example.com", "b.example.com", "web.example.com"] });
    expect(snapshot.workloads.get("shop/api")).toMatchObject({ tlsMode: "permissive", subjectNames: [] });
    expect(problems).toEqual([]);
  });

  it("default to the mesh's mode, which a TLSConfig may relax", () => {
    const list = objects(pod("web"), pod("api"), pod("db"), tlsConfig("a", { app: "web" }, { mode: "permissive" }), tlsConfig("b", { app: "api" }));
    const { snapshot } = buildSnapshot(list, { config: { ...defaults, tls: { mode: "strict" } } });

    expect([...snapshot.workloads.values()].map(({ name, tlsMode }) => [name, tlsMode])).toEqual([["api", "strict"], ["db", "strict"], ["web", "permissive"]]);
  });

  it("leave out a name that is not the namespace's, and warn of an empty selector", () => {
    const { snapshot, problems } = snapshotOf(pod("web"), tlsConfig("all", {}, { subjectNames: ["web.other.svc.cluster.local", "ok.example.com"] }));

    expect(snapshot.workloads.get("shop/web")?.subjectNames).toEqual(["ok.example.com"]);
    expect(problems.map(({ severity, code }) => [severity, code])).toEqual([["warning", "selector-empty"], ["error", "subject-name-refused"]]);
  });
});

describe("Monitors", () => {
  it("know their workloads, and workloads their Monitors", () => {
    const { snapshot } = snapshotOf(pod("b", { labels: { app: "web" } }), pod("a", { labels: { app: "web" } }), monitor("m2", { app: "web" }), monitor("m1", { app: "web" }, { metricLabels: {} }));

    expect(snapshot.monitors.get("shop/m1")).toEqual({ key: "shop/m1", namespace: "shop", name: "m1", metricLabels: {}, workloads: ["shop/a", "shop/b"] });
    expect(snapshot.monitors.get("shop/m2")?.metricLabels).toBeUndefined();
    expect(snapshot.workloads.get("shop/a")?.monitors).toEqual(["shop/m1", "shop/m2"]);
  });
});

describe("endpoints", () => {
  const members = [pod("web-a", { ips: ["10.0.0.1"], labels: { app: "web" } }), pod("web-b", { ips: ["10.0.0.2"], labels: { app: "web" }, containers: ["app"] })];

  it("have the identity of a pod in the mesh, by name or by address, and none of another", () => {
    expect(endpointsOf(web, ...members, slice("web-1", [endpoint("10.0.0.2", { pod: "web-b" }), endpoint("10.0.0.1", { pod: "web-a" }), endpoint("192.0.2.1")]))).toEqual([
      "10.0.0.1:8080 shop/web-a spiffe://weft.local/ns/shop/sa/default",
      "10.0.0.2:8080 shop/web-b",
      "192.0.2.1:8080",
    ]);
    expect(endpointsOf(web, ...members, slice("web-1", [endpoint("10.0.0.1")]))).toEqual(["10.0.0.1:8080 shop/web-a spiffe://weft.local/ns/shop/sa/default"]);
  });

  it.each([
    ["ready ones only", [endpoint("10.0.1.1"), endpoint("10.0.1.2", { ready: false, serving: false })], ["10.0.1.1:8080"]],
    ["ready before terminating ones", [endpoint("10.0.1.1"), endpoint("10.0.1.2", { ready: false, terminating: true })], ["10.0.1.1:8080"]],
    ["terminating ones that serve when nothing else is left", [endpoint("10.0.1.1", { ready: false, serving: false }), endpoint("10.0.1.2", { ready: false, terminating: true })], ["10.0.1.2:8080"]],
    ["none that neither serves", [endpoint("10.0.1.2", { ready: false, serving: false, terminating: true })], []],
    ["no address that is none", [endpoint("None"), endpoint("10.0.1.1")], ["10.0.1.1:8080"]],
  ])("are %s", (_what, endpoints, expected) => {
    expect(endpointsOf(web, slice("web-1", endpoints))).toEqual(expected);
  });

  it("are all with publishNotReadyAddresses", () => {
    expect(endpointsOf({ ...web, publishNotReadyAddresses: true }, slice("web-1", [endpoint("10.0.1.1", { ready: false, serving: false })]))).toEqual(["10.0.1.1:8080"]);
  });

  it("stand once though two slices have them, and ready if either says so", () => {
    expect(endpointsOf(web, slice("web-1", [endpoint("10.0.1.1", { ready: false, serving: false })]), slice("web-2", [endpoint("10.0.1.1"), endpoint("10.0.1.2")]))).toEqual(["10.0.1.1:8080", "10.0.1.2:8080"]);
  });

  it("follow the port's name in the slice, over TCP, in the family of the Service's address", () => {
    const other = slice("web-2", [endpoint("10.0.1.9")], { ports: [{ name: "admin", port: 9, protocol: "TCP" }, { name: "http", port: 8, protocol: "UDP" }] });
    const v6 = slice("web-3", [endpoint("fd00::1")], { addressType: "IPv6" });

    expect(endpointsOf(web, slice("web-1", [endpoint("10.0.1.1")]), other, v6)).toEqual(["10.0.1.1:8080"]);
    expect(endpointsOf({ ...web, clusterIps: ["fd00:1::1"] }, slice("web-1", [endpoint("10.0.1.1")]), v6)).toEqual(["fd00::1:8080"]);
  });
});

describe("services", () => {
  it("know the identities of their pods before these are ready", () => {
    const { snapshot } = snapshotOf(web, pod("web", { ready: false, serviceAccount: "v2" }), pod("web-old", { labels: { app: "web" }, serviceAccount: "v1" }), pod("plain", { labels: { app: "web" }, containers: ["app"], serviceAccount: "none" }));

    expect(snapshot.services.get("shop/web")?.identities).toEqual(["spiffe://weft.local/ns/shop/sa/v1", "spiffe://weft.local/ns/shop/sa/v2"]);
  });

  it("lose an address that is none or that another one has on the same port, with a Problem", () => {
    const { snapshot, problems } = snapshotOf(
      web,
      service("web-b", { clusterIps: ["10.97.0.1", "10.97.0.2"] }),
      service("web-c", { clusterIps: ["10.97.0.1"], ports: [servicePort(81)] }),
      service("web-d", { clusterIps: ["10.97.0.999"] }),
      { ...service("headless", { headless: true }), metadata: meta("headless") },
    );

    expect([...snapshot.services.values()].map(({ name, addresses }) => [name, addresses])).toEqual([
      ["headless", []],
      ["web", ["10.97.0.1"]],
      ["web-b", ["10.97.0.2"]],
      ["web-c", ["10.97.0.1"]],
      ["web-d", []],
    ]);
    expect(problems.map(({ code, object }) => [code, object.name])).toEqual([["address-taken", "web-b"], ["address-invalid", "web-d"]]);
  });
});
