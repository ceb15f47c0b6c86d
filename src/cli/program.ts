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
    .usage("[FLAGS]")
    .description(summary)
    .addHelpText("after", `\nExample:\n  ${example}`)
    .helpOption("-h, --help", "show this")
    .configureHelp({ styleTitle: (title) => title.replace(/^Options:/, "Flags:") })
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, `weft ${name}: `)) })
    .showHelpAfterError("(--help shows the flags)")
    .allowExcessArguments(false)
    .exitOverride();
}

/** Parses `args`; returns undefined when the command may run, else the exit code to end with. */
export function parseArguments(program: Command, args: readonly string[]): number | undefined {
  const required = program.options.filter(({ mandatory }) => mandatory);
  // Commander would look for missing flags first, and so call a misspelt one missing; unknown ones are the better news.
  for (const option of required) option.makeOptionMandatory(false);
  try {
    program.parse([...args], { from: "user" });
    const missing = required.filter((option) => program.getOptionValue(option.attributeName()) === undefined);
    if (missing.length > 0) program.error(`error: ${missing.map(({ flags }) => flags).join(" and ")} ${missing.length === 1 ? "is" : "are"} needed`);
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  }
}
