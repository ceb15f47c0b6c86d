import { formatDocuments } from "../../files/yaml.ts";
import { injectDocuments, type WorkloadResult } from "../inject-documents.ts";
import { createInjectProgram, readFlags, type InjectFlags } from "../inject-flags.ts";
import { readInjectInput } from "../inject-input.ts";
import { exitCodeOf, reportRow, tell } from "../inject-messages.ts";

/** `weft explain`: how each decision came about, step by step, with what each step looked at. */
export async function run(args: readonly string[]): Promise<number> {
  const program = createInjectProgram({
    name: "explain",
    summary: "Explain why each pod or pod template is injected, skipped or rejected: every step with its inputs.",
    example: "weft explain -f app.yaml --resources mesh/",
    output: "yaml",
  });
  const read = readFlags<InjectFlags>(program, args);
  if ("exit" in read) return read.exit;
  const input = await readInjectInput(read.flags);
  const { workloads, problems } = injectDocuments(input, read.flags);
  process.stdout.write(formatDocuments([workloads.map(explain)], read.flags.output));
  const all = [...input.problems, ...problems];
  tell("explain", workloads, all);
  return exitCodeOf(workloads, all);
}

function explain(workload: WorkloadResult): object {
  const { resources, trace } = workload.decision;
  return { ...reportRow(workload), resources, trace };
}
