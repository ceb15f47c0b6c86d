import { afterEach, describe, expect, it } from "vitest";
import { readDocuments } from "../../../../src/files/yaml.ts";
import { canaryOfItself, canaryWithoutBackend, mesh, writeResources } from "./resources-fixture.ts";
import { runWeft } from "../run-weft.ts";

let resources: ReturnType<typeof writeResources>;

afterEach(() => resources.remove());

describe("weft check", () => {
  it("is content with a sound mesh", async () => {
    resources = writeResources({ "mesh.yaml": mesh });

    expect(await runWeft(["check", "--resources", resources.directory, "-o", "json"])).toEqual({ code: 0, stdout: "[]\n", stderr: "weft check: 0 errors, 0 warnings.\n" });
  });

  it("tells warnings and ends with 0", async () => {
    resources = writeResources({ "mesh.yaml": mesh, "canary.yaml": canaryWithoutBackend });

    const { code, stdout, stderr } = await runWeft(["check", "--resources", resources.directory, "-o", "json"]);

    expect({ code, stderr }).toEqual({ code: 0, stderr: "weft check: 0 errors, 1 warning.\n" });
    expect(JSON.parse(stdout)).toEqual([
      {
        severity: "warning",
        code: "backend-missing",
        object: { kind: "Canary", namespace: "shop", name: "rollout" },
        sentence: "Backend Service shop/web-v2 does not exist, and no other backend does: requests to Service shop/web are answered with 503; create it.",
      },
    ]);
  });

  it("ends with 1 when there is an error, of an object, a file or the mesh configuration", async () => {
    resources = writeResources({ "mesh.yaml": mesh, "loop.yaml": canaryOfItself, "half.yaml": "kind: [", "weft.yaml": "tls: { mode: sometimes }\n" });

    const yaml = await runWeft(["check", "--resources", resources.directory]);
    const table = await runWeft(["check", "--resources", resources.directory, "-o", "table"]);

    const rows = readDocuments(`items:\n${yaml.stdout}`, "stdout").documents[0] as { readonly items: readonly { readonly severity: string; readonly code: string; readonly object: { readonly kind: string; readonly name: string } }[] };
    expect([yaml.code, table.code]).toEqual([1, 1]);
    expect(rows.items.map(({ severity, code, object }) => [severity, code, object.kind, object.name])).toEqual([
      ["error", "backend-is-root", "Canary", "loop"],
      ["error", "object-unreadable", "File", "half.yaml"],
      ["error", "object-invalid", "MeshConfig", "weft.yaml"],
    ]);
    expect(table.stdout).toMatch(/^SEVERITY {2}CODE {15}OBJECT {16}SENTENCE\nerror {5}backend-is-root {4}Canary shop\/loop {6}Backend "web" is the root itself/);
  });
});
