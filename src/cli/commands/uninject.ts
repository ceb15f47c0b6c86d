import { formatDocuments, type DocumentFormat } from "../../files/yaml.ts";
import { uninject } from "../../../webhook/inject/uninject.ts";
import { formatWorkload } from "../inject-documents.ts";
import { createFileProgram, readFlags } from "../inject-flags.ts";
import { mapWorkloads } from "../inject-workloads.ts";
import { exitCodes } from "../program.ts";
import { readInput } from "../read-input.ts";

interface Flags {
  readonly filename: readonly string[];
  readonly output: DocumentFormat;
}

/** `weft uninject`: the exact inverse of `weft inject`; what carries no sidecars passes untouched. */
export async function run(args: readonly string[]): Promise<number> {
  const program = createFileProgram({
    name: "uninject",
    summary: "Take the sidecars out of Pods and pod templates: the exact inverse of weft inject.",
    example: "weft uninject -f injected.yaml",
    output: "yaml",
  });
  const read = readFlags<Flags>(program, args);
  if ("exit" in read) return read.exit;
  const { documents, problems } = await readInput(read.flags.filename);
  const lines: string[] = [];
  const changed = documents.map(({ value }) =>
    mapWorkloads(value, "default", (workload) => {
      const pod = uninject(workload.pod);
      lines.push(`${formatWorkload(workload)}: ${pod === workload.pod ? "has no sidecars" : "uninjected"}`);
      return pod;
    }),
  );
  process.stdout.write(formatDocuments(changed, read.flags.output));
  process.stderr.write([...lines, ...problems].map((line) => `weft uninject: ${line}\n`).join(""));
  return problems.length > 0 ? exitCodes.rejected : exitCodes.done;
}
