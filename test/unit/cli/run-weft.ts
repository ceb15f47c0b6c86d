import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { join } from "node:path";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `weft ARGS` from the sources, to its end. */
export async function runWeft(args: readonly string[], input = ""): Promise<Ended> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "../../../src/cli/main.ts"), ...args], { stdio: ["pipe", "pipe", "pipe"] });
  const closed = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  child.stdin.end(input);
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { code, stdout, stderr };
}
