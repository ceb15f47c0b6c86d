import { convertDrafts } from "../../api/smi/draft.ts";
import { formatDocuments } from "../../files/yaml.ts";
import { formatProblem } from "../../std/problem.ts";
import { createFileProgram, readFlags, type InjectFlags } from "../inject-flags.ts";
import { exitCodes } from "../program.ts";
import { readInput } from "../read-input.ts";

/** `weft convert`: the first draft's literal YAML into objects that a cluster takes. Other documents pass untouched. */
export async function run(args: readonly string[]): Promise<number> {
  const program = createFileProgram({
    name: "convert",
    summary: "Turn the first draft's literal documents (apiVersion: v1beta1, name at the top) into Kubernetes objects.",
    example: "weft convert -f draft.yaml | kubectl apply -f -",
    output: "yaml",
  });
  const read = readFlags<Pick<InjectFlags, "filename" | "output">>(program, args);
  if ("exit" in read) return read.exit;
  const input = await readInput(read.flags.filename);
  const { documents, problems } = convertDrafts(input.documents.map(({ value }) => value));
  if (documents.length > 0) process.stdout.write(formatDocuments(documents, read.flags.output));
  const sentences = [...input.problems.map((problem) => `error: ${problem}`), ...problems.map(formatProblem)];
  for (const sentence of sentences) process.stderr.write(`weft convert: ${sentence}\n`);
  const rejected = input.problems.length > 0 || problems.some(({ severity }) => severity === "error");
  return rejected ? exitCodes.rejected : exitCodes.done;
}
