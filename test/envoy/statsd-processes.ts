/** Real processes for the statsd tests: Envoy, the adapter, promtool. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { findTool } from "../../src/runtime/tools.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface AdapterProcess {
  readonly statsd: Address;
  readonly metrics: Address;
  readonly pid: number;
  /** Sends SIGTERM; the exit code. */
  stop(): Promise<number | null>;
}

/** `weft adapter` as a process of its own, on free ports. */
export async function startAdapterProcess(...flags: string[]): Promise<AdapterProcess> {
  const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
  const args = [main, "adapter", "--statsd", "127.0.0.1:0", "--metrics", "127.0.0.1:0", ...flags];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "pipe"], env: { ...process.env, WEFT_LOG_LEVEL: "info" } });
  for await (const line of createInterface({ input: child.stderr })) {
    const { statsd, metrics, msg } = JSON.parse(line) as { statsd: Address; metrics: Address; msg: string };
    if (msg !== "adapter is listening") continue;
    child.stderr.resume();
    return { statsd, metrics, pid: child.pid ?? 0, stop: () => end(child) };
  }
  throw new Error("the adapter ended before it listened");
}

/** Envoy with this bootstrap; ready = its admin interface says LIVE. */
export async function startEnvoy(bootstrap: object, adminPort: number): Promise<{ stop(): Promise<number | null> }> {
  const directory = await mkdtemp(join(tmpdir(), "weft-statsd-"));
  const file = join(directory, "envoy.json");
  await writeFile(file, JSON.stringify(bootstrap));
  const child = spawn(await findTool("envoy"), ["-c", file, "--concurrency", "1", "--use-dynamic-base-id", "-l", "error"], { stdio: "inherit" });
  async function stop(): Promise<number | null> {
    const code = await end(child);
    await rm(directory, { recursive: true });
    return code;
  }
  while (!(await isReady(adminPort))) {
    if (child.exitCode === null) continue;
    await stop();
    throw new Error(`Envoy ended with ${child.exitCode}; what it said stands above`);
  }
  return { stop };
}

/** What `promtool check metrics` says of a text: the exit code (0 good, 1 not parsable, 3 only lint) and its remarks. */
export async function promtoolCheck(text: string): Promise<{ code: number | null; remarks: string }> {
  const child = spawn(await findTool("promtool"), ["check", "metrics"], { stdio: ["pipe", "ignore", "pipe"] });
  child.stdin.end(text);
  const chunks: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, remarks: Buffer.concat(chunks).toString() };
}

async function isReady(adminPort: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${adminPort}/ready`, { signal: AbortSignal.timeout(1000) });
    return (await response.text()) === "LIVE\n";
  } catch {
    // Not listening yet: a short breath, or the loop would take a core from Envoy.
    await new Promise((resolve) => setTimeout(resolve, 20));
    return false;
  }
}

async function end(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const [code] = (await exited) as [number | null];
  return code;
}
