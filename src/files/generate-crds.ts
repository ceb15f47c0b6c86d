import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { buildCrds } from "../api/crds.ts";
import { formatDocuments } from "./yaml.ts";

/** Not `crds/` of the chart: Helm installs what is there by itself, and never upgrades or removes it. Ours are templates. */
const directory = fileURLToPath(new URL("../../charts/weft/files/crds/", import.meta.url));
const header = "# Generated from src/api by `make gen`; change it there.\n";

/** `make gen`: writes the CRDs into the chart. With `--check`: says which are not current, and exits 1. */
async function main(args: readonly string[]): Promise<number> {
  await mkdir(directory, { recursive: true });
  let stale = 0;
  for (const [name, crd] of buildCrds()) {
    const wanted = header + formatDocuments([crd], "yaml");
    const found = await readFile(directory + name, "utf8").catch(() => "");
    if (found === wanted) continue;
    stale += 1;
    if (!args.includes("--check")) await writeFile(directory + name, wanted);
    else process.stderr.write(`charts/weft/files/crds/${name} is not current: run 'make gen'\n`);
  }
  return args.includes("--check") && stale > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
