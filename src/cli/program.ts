import { Command, CommanderError } from "commander";

/** Exit codes of every command: done; some input was rejected or is invalid; wrong usage. */
export const exitCodes = { done: 0, rejected: 1, usage: 2 } as const;

/** A message for a person that ends the command with exit code 1. */
export class Failure extends Error {
  override readonly name = "Failure";
}

/** A commander program for `weft NAME`, that throws instead of leaving the process and shows an example in its help. */
export function createProgram(name: string, summary: string, example: string): Command {
  return new Command(`weft ${name}`)
    .description(summary)
    .addHelpText("after", `\nExample:\n  ${example}`)
    .showHelpAfterError("(--help shows the flags)")
    .allowExcessArguments(false)
    .exitOverride();
}

/** Parses `args`; returns undefined when the command may run, else the exit code to end with. */
export function parseArguments(program: Command, args: readonly string[]): number | undefined {
  try {
    program.parse([...args], { from: "user" });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  }
}
