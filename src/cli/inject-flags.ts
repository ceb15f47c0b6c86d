import { Option, type Command } from "commander";
import type { DocumentFormat } from "../files/yaml.ts";
import { configFlag, kubernetesVersionFlag } from "./flags.ts";
import { createProgram, parseArguments } from "./program.ts";

/** The flags that `inject`, `patch` and `explain` share. */
export interface InjectFlags {
  readonly filename: readonly string[];
  readonly output: DocumentFormat;
  readonly resources?: string;
  /** Absent = the namespace's own label, else `enabled`. */
  readonly inject?: "enabled" | "always";
  readonly namespace: string;
  readonly config?: string;
  readonly kubernetesVersion: string;
  readonly report?: string;
}

export interface CommandText {
  readonly name: string;
  readonly summary: string;
  readonly example: string;
  readonly output: DocumentFormat;
}

/** `-f` and `-o` alone. */
export function createFileProgram(text: CommandText): Command {
  return createProgram(text.name, text.summary, text.example)
    .requiredOption("-f, --filename <path>", "file, directory or - for standard input; may be given several times", collect)
    .addOption(new Option("-o, --output <format>", "format of the documents").choices(["yaml", "json"]).default(text.output));
}

export function createInjectProgram(text: CommandText): Command {
  return createFileProgram(text)
    .option("--resources <dir>", "directory with TLSConfigs, Monitors, Canaries, TrafficSplits and Namespaces")
    .addOption(new Option("--inject <value>", "stands for the namespace's label weft.mesh/inject (default: its own, else enabled)").choices(["enabled", "always"]))
    .option("-n, --namespace <name>", "namespace of documents that name none", "default")
    .addOption(configFlag())
    .addOption(kubernetesVersionFlag());
}

/** The flags, or the exit code to end with. */
export function readFlags<T extends object>(program: Command, args: readonly string[]): { readonly flags: T } | { readonly exit: number } {
  const exit = parseArguments(program, args);
  return exit === undefined ? { flags: program.opts<T>() } : { exit };
}

function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}
