import { chmod, copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findTool } from "../../runtime/tools.ts";
import { Failure } from "../program.ts";
import { runProgram } from "./program.ts";

/** The programs the demo runs, in one folder that each pod sees as /run/weft-bin. */
export interface Machine {
  readonly ip: string;
  readonly programs: string;
}

/**
 * Checks what this machine must have and gathers the programs in `folder`. They are copied, because the sidecars' user
 * may not read the folders they come from (a root user's home, for one).
 */
export async function prepareMachine(folder: string, bundle: string): Promise<Machine> {
  if (process.platform !== "linux") throw new Failure("the demo gives each pod a network namespace, which only Linux has");
  const ip = await findTool("ip");
  await findTool("iptables");
  await mkdir(join(folder, "dist"), { recursive: true });
  await copyProgram(await findTool("envoy"), join(folder, "envoy"));
  await copyProgram(process.execPath, join(folder, "node"));
  await runProgram("cp", ["-r", `${bundle}/.`, join(folder, "dist")]);
  await writeLauncher(join(folder, "weft"));
  return { ip, programs: folder };
}

async function copyProgram(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  await chmod(to, 0o755);
}

async function writeLauncher(path: string): Promise<void> {
  await writeFile(path, '#!/bin/sh\nexec /run/weft-bin/node /run/weft-bin/dist/weft.mjs "$@"\n');
  await chmod(path, 0o755);
}

/** Anonymous memory of a process in bytes: what it costs beside the files that all containers of a node share. */
export async function anonymousMemory(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Anonymous:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? Number.NaN) * 1024;
}
