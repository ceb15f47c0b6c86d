/** kubectl and helm as the tests use them. */
import { spawn } from "node:child_process";

/** Runs a program to its end; `input` goes to its stdin. @throws Error with what it wrote to stderr. */
export function run(program: string, args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { stdio: ["pipe", "pipe", "pipe"] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(Buffer.concat(out).toString());
      else reject(new Error(`${program} ${args.slice(0, 6).join(" ").slice(0, 200)}: ${Buffer.concat(err).toString().trim()}`));
    });
    child.stdin.end(input);
  });
}

export function kubectl(...args: readonly string[]): Promise<string> {
  return run("kubectl", args);
}

/** Server-side apply; answers what kubectl said, warnings of webhooks included. */
export function apply(...documents: readonly object[]): Promise<string> {
  return run("kubectl", ["apply", "-f", "-"], documents.map((document) => JSON.stringify(document)).join("\n---\n"));
}

export async function getJson<T>(...args: readonly string[]): Promise<T> {
  return JSON.parse(await kubectl("get", ...args, "-o", "json")) as T;
}

/** Asks again and again, at most `seconds` long, until `check` answers something; a throw counts as not yet. */
export async function eventually<T>(what: string, seconds: number, check: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  let last = "";
  while (performance.now() < deadline) {
    try {
      const answer = await check();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`waited ${seconds} s for ${what}${last}`);
}
