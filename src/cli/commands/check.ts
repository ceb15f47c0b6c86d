import { Option } from "commander";
import { formatDocuments } from "../../files/yaml.ts";
import { formatObject, type Problem } from "../../std/problem.ts";
import { configFlag } from "../flags.ts";
import { createProgram, exitCodes, parseArguments } from "../program.ts";
import { readMesh, type MeshFlags } from "../read-mesh.ts";

interface Flags extends MeshFlags {
  readonly output: "yaml" | "json" | "table";
}

/** `weft check`: every Problem of a directory of resources; exit code 1 with an error among them. */
export async function run(args: readonly string[]): Promise<number> {
  const program = createProgram("check", "Tell everything that is wrong with a directory of resources.", "weft check --resources mesh -o table")
    .requiredOption("--resources <dir>", "directory of YAML and JSON")
    .addOption(configFlag())
    .addOption(new Option("-o, --output <format>", "format of the list").choices(["yaml", "json", "table"]).default("yaml"));
  const ended = parseArguments(program, args);
  if (ended !== undefined) return ended;
  const flags = program.opts<Flags>();
  const { problems } = await readMesh("check", flags);
  process.stdout.write(flags.output === "table" ? formatTable(problems) : formatDocuments([problems], flags.output));
  const errors = problems.filter(({ severity }) => severity === "error").length;
  process.stderr.write(`weft check: ${count(errors, "error")}, ${count(problems.length - errors, "warning")}.\n`);
  return errors > 0 ? exitCodes.rejected : exitCodes.done;
}

function formatTable(problems: readonly Problem[]): string {
  const rows = [["SEVERITY", "CODE", "OBJECT", "SENTENCE"], ...problems.map(({ severity, code, object, sentence }) => [severity, code, formatObject(object), sentence])];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}\n`).join("");
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
