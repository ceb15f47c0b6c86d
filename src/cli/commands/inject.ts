import { writeFile } from "node:fs/promises";
import { formatDocuments } from "../../files/yaml.ts";
import { injectDocuments } from "../inject-documents.ts";
import { createInjectProgram, readFlags, type InjectFlags } from "../inject-flags.ts";
import { readInjectInput } from "../inject-input.ts";
import { exitCodeOf, reportRow, tell } from "../inject-messages.ts";

/** `weft inject`: the sidecars into Pods and pod templates, by the webhook's own injector. Other documents pass untouched. */
export async function run(args: readonly string[]): Promise<number> {
  const program = createInjectProgram({
    name: "inject",
    summary: "Inject the sidecars into Pods and everything with a pod template, as the webhook would.",
    example: "weft inject -f app.yaml --resources mesh/ | kubectl apply -f -",
    output: "yaml",
  }).option("--report <file>", "write what became of each workload, as JSON");
  const read = readFlags<InjectFlags>(program, args);
  if ("exit" in read) return read.exit;
  const { flags } = read;
  const input = await readInjectInput(flags);
  const { documents, workloads, problems } = injectDocuments(input, flags);
  process.stdout.write(formatDocuments(documents, flags.output));
  if (flags.report !== undefined) await writeFile(flags.report, `${JSON.stringify(workloads.map(reportRow), null, 2)}\n`);
  const all = [...input.problems, ...problems];
  tell("inject", workloads, all);
  return exitCodeOf(workloads, all);
}
