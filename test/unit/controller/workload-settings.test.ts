import { describe, expect, it } from "vitest";
import { authorizeNode } from "../../../src/controller/authorize-node.ts";
import { workloadSettings } from "../../../src/controller/workload-settings.ts";
import type { MeshMonitor, MeshSnapshot, Workload } from "../../../src/mesh/snapshot.ts";

const workload: Workload = {
  key: "shop/web-1",
  namespace: "shop",
  name: "web-1",
  uid: "u",
  serviceAccount: "web",
  identity: "spiffe://weft.local/ns/shop/sa/web",
  labels: { app: "web", tier: "front" },
  addresses: ["10.0.0.1"],
  inMesh: true,
  tlsMode: "permissive",
  subjectNames: ["shop.example"],
  monitors: [],
  ports: new Map(),
};

function snapshotOf(metricLabels: Readonly<Record<string, Record<string, string> | undefined>>): MeshSnapshot {
  const keys = Object.keys(metricLabels);
  const monitors = keys.map((key): MeshMonitor => ({ key, namespace: "shop", name: key, metricLabels: metricLabels[key], workloads: [workload.key] }));
  return {
    trustDomain: "weft.local",
    clusterDomain: "cluster.local",
    workloads: new Map([[workload.key, { ...workload, monitors: keys }]]),
    services: new Map(),
    splits: new Map(),
    monitors: new Map(monitors.map((monitor) => [monitor.key, monitor])),
  };
}

describe("a workload's settings", () => {
  it.each([
    { what: "the pod's labels without a Monitor", monitors: {}, labels: { app: "web", tier: "front" } },
    { what: "the labels of its Monitor instead of the pod's", monitors: { a: { team: "x" } }, labels: { team: "x" } },
    { what: "none when its Monitor has none", monitors: { a: {} }, labels: {} },
    { what: "of several Monitors all, the first by key winning", monitors: { a: { team: "x" }, b: { team: "y", site: "z" } }, labels: { team: "x", site: "z" } },
    { what: "the pod's own for a Monitor without metricLabels", monitors: { a: undefined, b: { app: "other", team: "x" } }, labels: { app: "web", tier: "front", team: "x" } },
  ])("are $what", ({ monitors, labels }) => {
    expect(workloadSettings(snapshotOf(monitors), "shop/web-1")).toEqual({ metricLabels: labels, subjectNames: ["shop.example"] });
  });

  it("do not exist for a pod that is not known", () => {
    expect(workloadSettings(snapshotOf({}), "shop/nobody")).toBeUndefined();
  });
});

describe("a node id", () => {
  it.each([
    { what: "is served to its own identity", node: "shop/web-1", ids: ["spiffe://weft.local/ns/shop/sa/web"], ok: true },
    { what: "is refused to another identity", node: "shop/web-1", ids: ["spiffe://weft.local/ns/shop/sa/other"], ok: false },
    { what: "is refused to a certificate with several identities", node: "shop/web-1", ids: ["spiffe://weft.local/ns/shop/sa/web", "spiffe://weft.local/ns/a/sa/b"], ok: false },
    { what: "is refused without an identity", node: "shop/web-1", ids: [], ok: false },
    { what: "of no pod is refused", node: "shop/nobody", ids: ["spiffe://weft.local/ns/shop/sa/web"], ok: false },
  ])("$what", ({ node, ids, ok }) => {
    expect(authorizeNode(snapshotOf({}), node, ids).ok).toBe(ok);
  });
});
