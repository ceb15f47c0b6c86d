import { describe, expect, it } from "vitest";
import { buildBootstrap } from "../../../src/envoy/bootstrap.ts";

describe("the bootstrap", () => {
  it.each([
    ["127.0.0.1:15010", "STATIC", "IP_ADDRESS", "127.0.0.1"],
    ["[fd00::1]:15010", "STATIC", "IP_ADDRESS", "fd00::1"],
    ["weft-controller.weft-system.svc:15010", "STRICT_DNS", "DNS", "weft-controller.weft-system.svc"],
  ])("finds %s as %s and believes only its own name", (xds, ...[type, sanType, address]) => {
    const [cluster] = buildBootstrap({ xds, statsd: false, flushInterval: "5s" }).staticResources?.clusters ?? [];

    expect(cluster?.type).toBe(type);
    expect(JSON.stringify(cluster?.transportSocket)).toContain(`"matchTypedSubjectAltNames":[{"sanType":"${sanType}","matcher":{"exact":"${address}"}}]`);
    expect(cluster?.loadAssignment?.endpoints).toEqual([{ lbEndpoints: [{ endpoint: { address: { socketAddress: { address, portValue: 15010 } } } }] }]);
  });

  it.each(["", "host", "host:0", "host:65536", ":15010", "host:15010/path", "fd00::1:15010"])("refuses %j", (xds) => {
    expect(() => buildBootstrap({ xds, statsd: false, flushInterval: "5s" })).toThrow(/is not HOST:PORT/);
  });

  it("sends statistics only when there is somebody to take them", () => {
    const without = buildBootstrap({ xds: "h:1", statsd: false, flushInterval: "5s" });
    const withStatsd = buildBootstrap({ xds: "h:1", statsd: true, flushInterval: "0.5s" });

    expect(without).not.toHaveProperty("statsSinks");
    expect(without.staticResources?.clusters?.map(({ name }) => name)).toEqual(["xds"]);
    expect(withStatsd.statsFlushInterval).toBe("0.5s");
    expect(withStatsd.staticResources?.clusters?.map(({ name }) => name)).toEqual(["xds", "statsd"]);
  });

  it("says nothing of the pod", () => {
    expect(buildBootstrap({ xds: "h:1", statsd: true, flushInterval: "5s" })).not.toHaveProperty("node");
  });
});
