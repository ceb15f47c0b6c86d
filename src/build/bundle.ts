/** `make build`: dist/weft, with what it needs beside it. */
import { join } from "node:path";
import { bundle, writeLauncher } from "./bundler.ts";
import { reachOf } from "./reach.ts";

process.chdir(join(import.meta.dirname, "../.."));
try {
  await main();
} catch (error) {
  process.stderr.write(`build: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const started = performance.now();
  process.stdout.write("build: bundling src/cli/main.ts\n");
  const metafile = await bundle({ entry: "src/cli/main.ts", outputDirectory: "dist", write: true });
  await writeLauncher("dist");
  for (const source of Object.values(metafile.outputs).flatMap((output) => output.entryPoint ?? []).sort()) {
    const { bytes, chunks } = reachOf(metafile, source);
    process.stdout.write(`build: ${source.padEnd(36)} ${(bytes / 1024).toFixed(0).padStart(6)} KB in ${chunks.length} files\n`);
  }
  process.stdout.write(`build: dist/weft is ready, ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}
