import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeCertificate } from "../../certs/agent/certificate-files.ts";
import { readMesh } from "../../src/cli/read-mesh.ts";
import { buildBootstrap } from "../../src/envoy/bootstrap.ts";
import { buildResources } from "../../src/envoy/resources.ts";
import { translate } from "../../src/ir/translate.ts";
import { findTool } from "../../src/runtime/tools.ts";
import { toFileResources } from "./file-resources.ts";
import { createTestAuthority } from "../support/mesh-pki.ts";

const golden = join(import.meta.dirname, "../golden/mesh");
const scenarios = readdirSync(golden, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);

let directory: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "weft-config-"));
  const authority = await createTestAuthority();
  await writeCertificate(directory, { ...(await authority.workload("spiffe://weft.local/ns/shop/sa/default")), trustBundle: authority.root });
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Envoy's own verdict on a bootstrap. */
async function validate(bootstrap: object): Promise<string> {
  const args = ["--mode", "validate", "--config-yaml", JSON.stringify(bootstrap), "--service-cluster", "weft", "--service-node", "shop/web"];
  const { stdout, stderr } = await promisify(execFile)(await findTool("envoy"), args, { cwd: directory }).catch((error: unknown) => error as { readonly stdout: string; readonly stderr: string });
  return stdout + stderr;
}

describe("Envoy accepts", () => {
  it.each(["127.0.0.1:15010", "weft-controller.weft-system.svc:15010"])("the bootstrap for %s", async (xds) => {
    expect(await validate(buildBootstrap({ xds, statsd: true, flushInterval: "5s" }))).toContain("OK");
  });

  it.each(scenarios)("what the golden %s generates, for each proxy", async (name) => {
    cpSync(join(golden, name, "objects.yaml"), join(directory, "mesh", "objects.yaml"));
    const { snapshot } = await readMesh("test", { resources: join(directory, "mesh") });
    for (const key of snapshot.workloads.keys()) {
      const ir = translate(snapshot, key);
      if (ir === undefined) throw new Error(`${key} is not in the mesh`);
      const files = toFileResources(buildResources(ir));
      for (const [file, text] of files) writeFileSync(join(directory, file), text);
      const staticResources = { clusters: read("cluster.json"), listeners: read("listener.json") };

      expect(await validate({ staticResources })).toContain("OK");
    }
  });
});

/** As static resources: in validation mode Envoy does not read what file xDS would bring. */
function read(file: string): unknown {
  const { resources } = JSON.parse(readFileSync(join(directory, file), "utf8")) as { readonly resources: readonly Record<string, unknown>[] };
  return resources.map(({ "@type": _type, ...resource }) => resource);
}
