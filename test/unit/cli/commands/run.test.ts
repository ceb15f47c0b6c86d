import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { writeResources } from "./resources-fixture.ts";

const main = new URL("../../../../src/cli/main.ts", import.meta.url).pathname;
const files = {
  "mesh.yaml": "apiVersion: v1\nkind: Service\nmetadata: { name: web, namespace: shop }\nspec: { ports: [{ port: 80 }] }\n",
  "canary.yaml": "apiVersion: smi-spec.io/v1beta1\nkind: Canary\nmetadata: { name: rollout, namespace: shop }\nspec: { service: web, backends: [{ service: web-v1, weight: 1 }] }\n",
};

let resources: ReturnType<typeof writeResources> | undefined;
let child: ChildProcess | undefined;

afterEach(async () => {
  if (child !== undefined && child.exitCode === null && child.signalCode === null) {
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
  resources?.remove();
});

/** `weft run` on free ports, but for what `flags` say. */
function start(...flags: readonly string[]): { readonly process: ChildProcess; readonly stdout: () => string; readonly stderr: () => string } {
  resources = writeResources(files);
  const { directory } = resources;
  const free = ["--webhook", "--xds", "--ca", "--metrics"].flatMap((flag) => [flag, "127.0.0.1:0"]);
  const started = spawn(process.execPath, [main, "run", "--resources", directory, "--state", join(directory, ".state"), ...free, ...flags], { stdio: ["ignore", "pipe", "pipe"] });
  child = started;
  const said = { stdout: "", stderr: "" };
  started.stdout.setEncoding("utf8").on("data", (text: string) => (said.stdout += text));
  started.stderr.setEncoding("utf8").on("data", (text: string) => (said.stderr += text));
  return { process: started, stdout: () => said.stdout, stderr: () => said.stderr };
}

describe("weft run", () => {
  it("prints its addresses, tells what is wrong with the mesh, and ends with 0 when asked to", async () => {
    const weft = start();
    await vi.waitFor(() => expect(weft.stdout()).toContain("metrics"), { timeout: 20_000, interval: 20 });
    const ended = once(weft.process, "exit");

    weft.process.kill("SIGTERM");

    expect(await ended).toEqual([0, null]);
    expect(weft.stdout().split("\n").map((line) => line.split(/ +/)[0])).toEqual(["webhook", "xds", "ca", "trust", "metrics", ""]);
    expect(weft.stderr()).toContain("Canary shop/rollout: Backend Service shop/web-v1 does not exist");
  });

  it("does not start with a mesh configuration that it cannot use, and by defaults that were not meant", async () => {
    const weft = start("--config", join(new URL(".", import.meta.url).pathname, "run.test.ts"));

    const [code] = (await once(weft.process, "close")) as [number | null];

    expect(code).toBe(1);
    expect(weft.stdout()).toBe("");
    expect(weft.stderr()).toMatch(/weft run: The mesh configuration .*run\.test\.ts cannot be used: .* Correct it\./);
  });

  it("ends with 1 and names the address when a port is taken", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const weft = start("--webhook", `127.0.0.1:${port}`);

    const [code] = (await once(weft.process, "close")) as [number | null];
    taken.close();

    expect(code).toBe(1);
    expect(weft.stdout()).toBe("");
    expect(weft.stderr()).toContain(`127.0.0.1:${port}`);
  });
});
