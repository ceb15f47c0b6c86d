import { describe, expect, it } from "vitest";
import { splitShares } from "../../../src/mesh/split-shares.ts";
import { formatObject } from "../../../src/std/problem.ts";
import type { MeshObject } from "../../../src/api/objects.ts";
import { canary, meta, service, servicePort, snapshotOf, trafficSplit } from "./objects.ts";

const services = ["web", "web-v1", "web-v2"].map((name) => service(name));

/** Of the split on `web`: its backends with weights; and the problems as `code object`. */
function splitOf(...objects: readonly MeshObject[]) {
  const { snapshot, problems } = snapshotOf(...services, ...objects);
  const split = snapshot.splits.get("shop/web");
  return {
    backends: split === undefined ? undefined : Object.fromEntries(split.backends.map(({ service: key, weight }) => [key, weight])),
    origin: split === undefined ? undefined : formatObject(split.origin),
    problems: problems.map(({ severity, code, object }) => `${severity} ${code} ${formatObject(object)}`),
  };
}

describe("a split", () => {
  it("of a Canary has thousandths, of a TrafficSplit its own numbers", () => {
    expect(splitOf(canary("rollout", "web", { "web-v1": "1", "web-v2": "500m" }))).toEqual({
      backends: { "shop/web-v1": 1000, "shop/web-v2": 500 },
      origin: "Canary shop/rollout",
      problems: [],
    });
    expect(splitOf(trafficSplit("rollout", "web.shop.svc", { "web-v1": 90, "web-v2": 10 })).backends).toEqual({ "shop/web-v1": 90, "shop/web-v2": 10 });
  });

  it.each([
    ["the root as a backend", canary("bad", "web", { "web.shop": "1" }), "error backend-is-root Canary shop/bad"],
    ["the same backend in two spellings", canary("bad", "web", { "web-v1": "1", "web-v1.shop": "1" }), "error backend-duplicate Canary shop/bad"],
    ["a root of another namespace", canary("bad", "web.other", { "web-v1": "1" }), "error root-namespace Canary shop/bad"],
    ["a backend of another namespace", canary("bad", "web", { "web-v1.other.svc": "1" }), "error root-namespace Canary shop/bad"],
    ["a weight that is no quantity", canary("bad", "web", { "web-v1": "1.2.3" }), "error object-invalid Canary shop/bad"],
    ["a root that does not exist", canary("bad", "nothing", { "web-v1": "1" }), "warning root-missing Canary shop/bad"],
  ])("with %s is left out", (_what, object, problem) => {
    expect(splitOf(object)).toEqual({ backends: undefined, origin: undefined, problems: [problem] });
  });

  it("with matches is not in force yet, and says so", () => {
    const { kind, metadata, spec } = trafficSplit("ab", "web", { "web-v1": 1 });
    const ab = { kind, metadata, spec: { ...spec, matches: [{ kind: "HTTPRouteGroup" as const, name: "firefox" }] } };

    expect(splitOf(ab)).toEqual({ backends: undefined, origin: undefined, problems: ["warning matches-ignored TrafficSplit shop/ab"] });
  });

  it("gives way to an older one, then to the first by name", () => {
    const old = { ...canary("z-old", "web", { "web-v1": "1" }), metadata: meta("z-old", { creationTimestamp: "2026-01-01T00:00:00Z" }) };
    const young = { ...trafficSplit("a-young", "web", { "web-v2": 1 }), metadata: meta("a-young", { creationTimestamp: "2026-01-02T00:00:00Z" }) };

    expect(splitOf(young, old)).toEqual({ backends: { "shop/web-v1": 1 }, origin: "Canary shop/z-old", problems: ["warning root-taken TrafficSplit shop/a-young"] });
    expect(splitOf(canary("b", "web", { "web-v1": "1" }), trafficSplit("a", "web", { "web-v2": 1 })).origin).toBe("TrafficSplit shop/a");
  });

  it("that is left out does not take the root from a younger one", () => {
    const bad = { ...canary("old", "web", { web: "1" }), metadata: meta("old", { creationTimestamp: "2025-01-01T00:00:00Z" }) };

    expect(splitOf(bad, canary("young", "web", { "web-v1": "1" })).origin).toBe("Canary shop/young");
  });

  it("uses a backend that is itself a root as the plain Service", () => {
    expect(splitOf(canary("outer", "web", { "web-v1": "1" }), canary("inner", "web-v1", { "web-v2": "1" }))).toMatchObject({
      backends: { "shop/web-v1": 1 },
      problems: ["warning backend-is-split Canary shop/outer"],
    });
  });

  it("with weights of zero only is in force, as an error", () => {
    expect(splitOf(canary("none", "web", { "web-v1": "0" }))).toMatchObject({ backends: { "shop/web-v1": 0 }, problems: ["error weights-zero Canary shop/none"] });
  });
});

describe("the shares of a split on a port", () => {
  const root = service("root", { ports: [servicePort(80), servicePort(443, { name: "tls" })] });
  const backends = [service("a", { ports: [servicePort(80, { targetPort: 8081 })] }), service("b", { ports: [servicePort(80, { targetPort: 8082 }), servicePort(443, { name: "x" })] })];

  function shares(port: number, weights: Readonly<Record<string, number>>) {
    const { snapshot, problems } = snapshotOf(root, ...backends, trafficSplit("split", "root", weights));
    const split = snapshot.splits.get("shop/root");
    const found = split === undefined ? [] : splitShares(split, port, snapshot.services);
    return { shares: found.map(({ service: { key }, weight }) => [key, weight]), codes: problems.map(({ code }) => code) };
  }

  it("leave out a backend without that port, or that does not exist: the others take its share", () => {
    expect(shares(80, { a: 1, b: 1 })).toEqual({ shares: [["shop/a", 1], ["shop/b", 1]], codes: ["backend-port-missing"] });
    expect(shares(443, { a: 1, b: 1 })).toEqual({ shares: [["shop/b", 1]], codes: ["backend-port-missing"] });
    expect(shares(80, { missing: 9, a: 1 })).toEqual({ shares: [["shop/a", 1]], codes: ["backend-missing", "backend-port-missing"] });
  });

  it("are none when nobody is left, or nobody with a weight", () => {
    expect(shares(80, { missing: 1 }).shares).toEqual([]);
    expect(shares(443, { a: 1 }).shares).toEqual([]);
    expect(shares(443, { a: 1, b: 0 }).shares).toEqual([]);
  });
});
