import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Runs a program of this machine to its end and answers its stdout. @throws Error that names it and its stderr. */
export async function runProgram(program: string, args: readonly string[]): Promise<string> {
  try {
    return (await execute(program, [...args], { maxBuffer: 16 * 1024 * 1024 })).stdout;
  } catch (error) {
    const { stderr = "", message = "" } = error as { stderr?: string; message?: string };
    throw new Error(`${program} ${args.join(" ")}: ${stderr.trim() || message}`, { cause: error });
  }
}

/** Asks again and again, at most `seconds` long, until `check` answers something. */
export async function waitFor<T>(what: string, seconds: number, check: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const answer = await check();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${seconds} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
