import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { demoNetwork } from "./network.ts";
import { waitFor } from "./program.ts";

/** `weft run` as a process of its own, as a person would start it. */
export interface ControlPlane {
  readonly pid: number;
  readonly trustBundle: string;
  /** Lines it logged so far. */
  log(): Promise<readonly LogLine[]>;
  stop(): Promise<void>;
}

export interface LogLine {
  readonly msg?: string;
  readonly [field: string]: unknown;
}

/** Starts it on `resources` and waits until it has printed its addresses. */
export async function startControlPlane(weft: string, folder: string): Promise<ControlPlane> {
  const { host } = demoNetwork;
  const state = join(folder, "state");
  const files = { output: join(folder, "run.out"), log: join(folder, "run.log") };
  const [output, log] = [openSync(files.output, "w"), openSync(files.log, "w")];
  const args = ["run", "--resources", join(folder, "resources"), "--state", state];
  for (const [flag, port] of [["webhook", 10250], ["xds", 15010], ["ca", 15012], ["metrics", 3000]] as const) args.push(`--${flag}`, `${host}:${port}`);
  const child = spawn(weft, args, { stdio: ["ignore", output, log] });
  closeSync(output);
  closeSync(log);
  await waitFor("weft run to print its addresses", 30, async () => {
    if (child.exitCode !== null) throw new Error(`weft run ended with code ${child.exitCode}: ${await readFile(files.log, "utf8")}`);
    return (await readFile(files.output, "utf8")).includes("metrics") ? true : undefined;
  });
  if (child.pid === undefined) throw new Error("weft run has no process");
  return { pid: child.pid, trustBundle: join(state, "trust-bundle.pem"), log: () => readLog(files.log), stop: () => endProcess(child) };
}

async function readLog(file: string): Promise<LogLine[]> {
  const lines = (await readFile(file, "utf8")).split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line) as LogLine);
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 5000);
  await ended;
  clearTimeout(late);
}
