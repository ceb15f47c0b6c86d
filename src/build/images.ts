/**
 * `make images`: build/weft-image.tar, the image without Docker. With `--root-file-system FILE` only what stands in it, as a
 * plain tar archive: the Dockerfile unpacks that, so that both images are the same.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findTool } from "../runtime/tools.ts";
import { writeArchive } from "./archive.ts";
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
  const { values } = parseArgs({ options: { "root-file-system": { type: "string" } } });
  const started = performance.now();
  const programs = { node: process.execPath, envoy: await findTool("envoy"), iptables: await findTool("iptables"), ip: await findTool("ip") };
  const [base, weft] = [await collectBase(programs), await collectBundle("dist")];
  const plain = values["root-file-system"];
  if (plain !== undefined) {
    const { bytes } = await writeArchive(plain, [...base, ...weft.filter((item) => !base.some(({ path }) => path === item.path))]);
    report(`${plain} holds the root file system, ${megabytes(bytes)}`);
    return;
  }
  const { version } = JSON.parse(await readFile("package.json", "utf8")) as { readonly version: string };
  const name = `weft/weft:${version}`;
  report(`making ${name}`);
  const layers = [
    { title: "programs (Node, Envoy, iptables, ip, their libraries)", items: base },
    { title: "weft", items: weft },
  ];
  const { bytes, digest } = await writeImage({ name, archive, layers, report });
  report(`${archive} holds ${name}, ${megabytes(bytes)}, sha256 ${digest.slice(0, 12)}, ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MB`;
}

function report(line: string): void {
  process.stdout.write(`images: ${line}\n`);
}
