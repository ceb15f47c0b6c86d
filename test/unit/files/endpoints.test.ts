import { describe, expect, it } from "vitest";
import type { EndpointSlice, Pod, Service } from "../../../src/api/kubernetes.ts";
import { deriveEndpointSlices } from "../../../src/files/endpoints.ts";

function meta(name: string, labels = {}) {
  return { namespace: "shop", name, uid: name, labels, annotations: {}, creationTimestamp: "" };
}

function pod(name: string, change: Partial<Pod> = {}): Pod {
  const ports = [{ name: "http", port: 8080, protocol: "TCP" as const }];
  return { kind: "Pod", metadata: meta(name, { app: "web" }), serviceAccount: "default", hostNetwork: false, containers: ["app"], ports, ips: ["10.0.0.1"], ready: true, ended: false, terminating: false, ...change };
}

function service(change: Partial<Service> = {}): Service {
  const ports = [{ name: "web", port: 80, targetPort: "http", protocol: "TCP" as const, appProtocol: "" }];
  return { kind: "Service", metadata: meta("web"), selector: { app: "web" }, clusterIps: ["10.96.0.1"], headless: false, externalName: "", ports, publishNotReadyAddresses: false, ...change };
}

describe("deriveEndpointSlices", () => {
  it("makes one slice of the selected pods, in order, with readiness", () => {
    const pods = [
      pod("c", { terminating: true, ips: ["10.0.0.3"] }),
      pod("a"),
      pod("b", { ready: false, ips: ["10.0.0.2"] }),
      pod("gone", { ended: true }),
      pod("new", { ips: [] }),
      pod("other", { metadata: meta("other", { app: "x" }) }),
      pod("far", { metadata: { ...meta("far", { app: "web" }), namespace: "else" } }),
    ];

    expect(deriveEndpointSlices([service()], pods, [])).toEqual([
      {
        kind: "EndpointSlice",
        metadata: { ...meta("web-ipv4-0"), uid: "derived-shop-web-ipv4-0" },
        service: "web",
        addressType: "IPv4",
        ports: [{ name: "web", port: 8080, protocol: "TCP" }],
        endpoints: [
          { address: "10.0.0.1", ready: true, serving: true, terminating: false, pod: "a", zone: "" },
          { address: "10.0.0.2", ready: false, serving: false, terminating: false, pod: "b", zone: "" },
          { address: "10.0.0.3", ready: false, serving: true, terminating: true, pod: "c", zone: "" },
        ],
      },
    ]);
  });

  it("parts pods whose named port is another number, and leaves out a port that none declares", () => {
    const pods = [pod("a"), pod("b", { ports: [{ name: "http", port: 9090, protocol: "TCP" }] }), pod("c", { ports: [] })];

    const slices = deriveEndpointSlices([service()], pods, []);

    expect(slices.map(({ ports, endpoints }) => [ports.map(({ port }) => port), endpoints.map((endpoint) => endpoint.pod)])).toEqual([
      [[8080], ["a"]],
      [[9090], ["b"]],
      [[], ["c"]],
    ]);
  });

  it("makes a slice for each family of the Service's addresses", () => {
    const pods = [pod("a", { ips: ["10.0.0.1", "fd00::1"] })];

    const dual = deriveEndpointSlices([service({ clusterIps: ["10.96.0.1", "fd01::1"] })], pods, []);
    const headless = deriveEndpointSlices([service({ clusterIps: [], headless: true })], pods, []);

    expect(dual.map(({ addressType }) => addressType)).toEqual(["IPv4", "IPv6"]);
    expect(headless.map(({ addressType }) => addressType)).toEqual(["IPv4"]);
  });

  it("counts all as ready where the Service publishes unready addresses", () => {
    const [slice] = deriveEndpointSlices([service({ publishNotReadyAddresses: true })], [pod("a", { ready: false })], []);

    expect(slice?.endpoints[0]).toMatchObject({ ready: true, serving: false });
  });

  it("leaves Services alone that have slices, or no selector", () => {
    const own: EndpointSlice = { kind: "EndpointSlice", metadata: meta("mine"), service: "web", addressType: "IPv4", ports: [], endpoints: [] };

    expect(deriveEndpointSlices([service()], [pod("a")], [own])).toEqual([]);
    expect(deriveEndpointSlices([service({ selector: undefined })], [pod("a")], [])).toEqual([]);
  });
});
