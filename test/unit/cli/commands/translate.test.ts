import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readDocuments } from "../../../../src/files/yaml.ts";
import { canaryOfItself, mesh, writeResources } from "./resources-fixture.ts";
import { runWeft } from "../run-weft.ts";

let resources: ReturnType<typeof writeResources>;

beforeEach(() => {
  resources = writeResources({ "mesh.yaml": mesh });
});

afterEach(() => resources.remove());

function translate(...args: readonly string[]) {
  return runWeft(["translate", "--resources", resources.directory, ...args]);
}

describe("weft translate", () => {
  it("prints Envoy's resources by type, spelled as its documentation does", async () => {
    const { code, stdout, stderr } = await translate("--proxy", "shop/web");

    const [document] = readDocuments(stdout, "stdout").documents as [Record<string, { name?: string; cluster_name?: string }[]>];
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(Object.keys(document)).toEqual(["cluster", "endpoint", "listener", "route"]);
    expect(document["cluster"]?.map(({ name }) => name)).toEqual(["inbound", "passthrough", "outbound_web_shop_80"]);
    expect(document["endpoint"]?.map(({ cluster_name }) => cluster_name)).toEqual(["outbound_web_shop_80"]);
  });

  it("prints what the proxy must do, and the mesh, as JSON too", async () => {
    const ir = await translate("--proxy", "shop/web", "--stage", "ir", "-o", "json");
    const snapshot = await translate("--proxy", "shop/web", "--stage", "snapshot", "-o", "json");

    expect(JSON.parse(ir.stdout)).toMatchObject({ key: "shop/web", inbound: { tlsMode: "permissive", ports: [{ number: 8080, protocol: "http" }] } });
    expect(JSON.parse(snapshot.stdout)).toMatchObject({ workloads: { "shop/web": { inMesh: true, ports: { "8080": "http" } }, "shop/out": { inMesh: false } } });
  });

  it("takes the mesh configuration of the directory, or the one it is given", async () => {
    const own = writeResources({ "mesh.yaml": mesh, "weft.yaml": "tls: { mode: strict }\n", "other.cfg": "trustDomain: example.org\n" });

    const strict = await runWeft(["translate", "--resources", own.directory, "--proxy", "shop/web", "--stage", "ir", "-o", "json"]);
    const other = await runWeft(["translate", "--resources", own.directory, "--proxy", "shop/web", "--stage", "ir", "-o", "json", "--config", `${own.directory}/other.cfg`]);

    own.remove();
    expect(JSON.parse(strict.stdout)).toMatchObject({ inbound: { tlsMode: "strict", peerPrefix: "spiffe://weft.local/" } });
    expect(JSON.parse(other.stdout)).toMatchObject({ inbound: { tlsMode: "permissive", peerPrefix: "spiffe://example.org/" } });
  });

  it("translates in spite of an invalid object, tells it, and ends with 1", async () => {
    resources.remove();
    resources = writeResources({ "mesh.yaml": mesh, "bad.yaml": canaryOfItself });

    const { code, stdout, stderr } = await translate("--proxy", "shop/web", "--stage", "ir", "-o", "json");

    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ key: "shop/web" });
    expect(stderr).toMatch(/^weft translate: error: Canary shop\/loop: .+ \(backend-is-root\)\n$/);
  });

  it.each([
    ["a pod that is not there", ["--proxy", "shop/nobody"], 1, "There is no Pod shop/nobody in the resources. Pods in the mesh: shop/web."],
    ["a pod outside the mesh", ["--proxy", "shop/out"], 1, "Pod shop/out is not in the mesh"],
    ["no NAMESPACE/POD", ["--proxy", "web"], 2, "A pod is named NAMESPACE/POD."],
    ["no proxy", [], 2, "weft translate: --proxy <namespace/pod> is needed"],
    ["an unknown stage", ["--proxy", "shop/web", "--stage", "soup"], 2, "Allowed choices are snapshot, ir, envoy"],
  ])("refuses %s", async (...[, args, expected, sentence]) => {
    const { code, stdout, stderr } = await translate(...args);

    expect({ code, stdout }).toEqual({ code: expected, stdout: "" });
    expect(stderr).toContain(sentence);
  });

  it("refuses a directory that is not there", async () => {
    const { code, stderr } = await runWeft(["translate", "--resources", `${resources.directory}/none`, "--proxy", "shop/web"]);

    expect(code).toBe(1);
    expect(stderr).toContain(`${resources.directory}/none`);
  });
});
