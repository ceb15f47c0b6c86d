/** `make images`: build/weft-image.tar, the image without Docker. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { findTool } from "../runtime/tools.ts";
import { writeImage } from "./oci-image.ts";
import { collectBase, collectBundle } from "./root-file-system.ts";

const archive = "build/weft-image.tar";

process.chdir(join(import.meta.dirname, "../.."));
try {
  await main();
} catch (error) {
  process.stderr.write(`images: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const started = performance.now();
  const { version } = JSON.parse(await readFile("package.json", "utf8")) as { readonly version: string };
  const name = `weft/weft:${version}`;
  report(`making ${name}`);
  const programs = { node: process.execPath, envoy: await findTool("envoy"), iptables: await findTool("iptables") };
  const layers = [
    { title: "programs (Node, Envoy, iptables, their libraries)", items: await collectBase(programs) },
    { title: "weft", items: await collectBundle("dist") },
  ];
  const { bytes, digest } = await writeImage({ name, archive, layers, report });
  report(`${archive} holds ${name}, ${(bytes / 2 ** 20).toFixed(0)} MB, sha256 ${digest.slice(0, 12)}, ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

function report(line: string): void {
  process.stdout.write(`images: ${line}\n`);
}
