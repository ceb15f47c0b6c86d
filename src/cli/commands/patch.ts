import { formatDocuments } from "../../files/yaml.ts";
import { injectDocuments } from "../inject-documents.ts";
import { createInjectProgram, readFlags, type InjectFlags } from "../inject-flags.ts";
import { readInjectInput } from "../inject-input.ts";
import { exitCodeOf, tell } from "../inject-messages.ts";

/** `weft patch`: the RFC 6902 patch of each pod, as the webhook would send it. */
export async function run(args: readonly string[]): Promise<number> {
  const program = createInjectProgram({
    name: "patch",
    summary: "Print the JSON Patch (RFC 6902) of each pod or pod template, as the webhook would send it.",
    example: "weft patch -f pod.yaml --resources mesh/ -o json",
    output: "json",
  });
  const read = readFlags<InjectFlags>(program, args);
  if ("exit" in read) return read.exit;
  const input = await readInjectInput(read.flags);
  const { workloads, problems } = injectDocuments(input, read.flags);
  const rows = workloads.map(({ kind, namespace, name, patch }) => ({ kind, namespace, name, patch }));
  process.stdout.write(formatDocuments([rows], read.flags.output));
  const all = [...input.problems, ...problems];
  tell("patch", workloads, all);
  return exitCodeOf(workloads, all);
}
