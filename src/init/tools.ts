/** The programs of iptables: what stands in a network namespace, and how it is changed. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import type { FamilyState, Filter, ToolFailure } from "./choose-tool.ts";
import { isRefusal, RedirectionError, advise } from "./redirection-error.ts";
import type { Family } from "./rules.ts";

const names: Readonly<Record<Family, string>> = { ipv4: "iptables", ipv6: "ip6tables" };
/** Tables that exist; reading one with the tool instead would make it. */
const legacyTables: Readonly<Record<Family, string>> = { ipv4: "/proc/self/net/ip_tables_names", ipv6: "/proc/self/net/ip6_tables_names" };

/** How long another program may hold the lock of legacy iptables, in seconds. */
const lockSeconds = 10;

/** The name of a filter's tool for people and for `-save` and `-restore`. */
export function toolName(family: Family, filter: Filter): string {
  return `${names[family]}-${filter}`;
}

/** Reads one family, and makes nothing. @throws RedirectionError when legacy tables exist that cannot be read. */
export async function readState(family: Family): Promise<FamilyState> {
  return { family, legacy: await readLegacy(family), nft: await readNft(family) };
}

/** Puts text for `iptables-restore --noflush` in force, whole or not at all; returns what it said when it failed. */
export async function restore(family: Family, filter: Filter, input: string): Promise<ToolFailure | undefined> {
  const program = `${toolName(family, filter)}-restore`;
  const args = filter === "legacy" ? ["--noflush", "--wait", String(lockSeconds)] : ["--noflush"];
  const result = await execute({ program, args, input });
  return result === undefined || result.code !== 0 ? failureOf(program, result) : undefined;
}

async function readNft(family: Family): Promise<FamilyState["nft"]> {
  const program = `${toolName(family, "nft")}-save`;
  const result = await execute({ program, args: ["-t", "nat"], input: "" });
  return result?.code === 0 ? { rules: result.output } : { failure: failureOf(program, result) };
}

/** Empty where there are no legacy tables, or nothing to read them with. */
async function readLegacy(family: Family): Promise<string> {
  const tables = await readFile(legacyTables[family], "utf8").catch(() => "");
  if (tables.trim() === "") return "";
  const program = `${toolName(family, "legacy")}-save`;
  const result = await execute({ program, args: [], input: "" });
  if (result === undefined || result.code === 0) return result?.output ?? "";
  const { said } = failureOf(program, result);
  throw new RedirectionError(`${program} failed: ${said}. ${advise(said)}`);
}

function failureOf(program: string, result: Execution | undefined): ToolFailure {
  if (result === undefined) return { program, kind: "missing", said: "it is not in PATH" };
  const said = `${result.output}${result.errors}`.trim().split("\n").slice(0, 3).join("; ").replace(/\.$/, "") || "it gave no reason";
  return { program, kind: isRefusal(said) ? "refused" : "unsupported", said };
}

interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly input: string;
}

export interface Execution {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs a program to its end; undefined when it is not in PATH. */
export function execute({ program, args, input }: Command): Promise<Execution | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { stdio: ["pipe", "pipe", "pipe"] });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
    child.once("error", (error: NodeJS.ErrnoException) => (error.code === "ENOENT" ? resolve(undefined) : reject(error)));
    // A tool that ends before it has read its input: its exit code tells more than EPIPE.
    child.stdin.on("error", () => undefined);
    child.once("close", (code) => resolve({ code, output: Buffer.concat(output).toString(), errors: Buffer.concat(errors).toString() }));
    child.stdin.end(input);
  });
}
