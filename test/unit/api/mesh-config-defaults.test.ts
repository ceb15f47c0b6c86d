import { describe, expect, it } from "vitest";
import { meshConfigDefaults, parseMeshConfig } from "../../../src/api/mesh-config-defaults.ts";

describe("parseMeshConfig", () => {
  it("gives the defaults for an empty file", () => {
    expect(parseMeshConfig(undefined)).toEqual({ config: meshConfigDefaults });
    expect(parseMeshConfig({ tls: null })).toEqual({ config: meshConfigDefaults });
    expect(meshConfigDefaults).toMatchObject({ trustDomain: "weft.local", tls: { mode: "permissive" }, certificates: { ttl: 86400 } });
  });

  it("keeps each default beside what is given", () => {
    const file = { certificates: { ttl: "90m" }, controlPlane: { namespace: "mesh", ca: "https://127.0.0.1:1" }, injection: { resources: { proxy: { limits: { cpu: "2" } } } } };

    expect(parseMeshConfig(file)).toMatchObject({
      config: {
        certificates: { ttl: 5400 },
        controlPlane: { namespace: "mesh", xds: "weft-controller.mesh.svc:15010", ca: "https://127.0.0.1:1" },
        injection: { redirection: "iptables", resources: { proxy: { requests: { cpu: "50m", memory: "64Mi" }, limits: { cpu: "2", memory: "256Mi" } } } },
      },
    });
  });

  it.each([
    [{ tls: { mod: "strict" } }, ["tls.mod is not a known field"]],
    [{ tls: { mode: "none" } }, ["tls.mode must be permissive or must be strict"]],
    [{ certificates: { ttl: "25h" } }, ["certificates.ttl must be between 1s and 24h"]],
    ["text", ["the document must be object"]],
    [{ controlPlane: { xds: "nonsense", ca: "http://ca", metrics: "https://m/x" } }, ["controlPlane.xds must be HOST:PORT", "controlPlane.ca must be https://HOST:PORT", "controlPlane.metrics must be https://HOST:PORT"]],
    [{ injection: { resources: { agent: { limits: { cpu: "9m", memory: "40M" } } } } }, ["injection.resources.agent.requests.cpu (10m) is more than the limit (9m)", "injection.resources.agent.requests.memory (48Mi) is more than the limit (40M)"]],
  ])("refuses %j", (file, errors) => {
    expect(parseMeshConfig(file)).toEqual({ errors });
  });
});
