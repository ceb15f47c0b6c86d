import { spawn } from "node:child_process";
import { formatRestore, isInForce, type RedirectionOptions } from "./rules.ts";

/** Redirection that cannot be put in place; the message says what to do. */
export class RedirectionError extends Error {
  override readonly name = "RedirectionError";
}

export interface RedirectionResult {
  /** `unchanged` = the same rules were in force already, and none was touched. */
  readonly outcome: "applied" | "unchanged";
}

/** The nft variant is preferred: it needs no lock file, and so works on a read-only root file system. */
const variants = [
  { save: "iptables-nft-save", restore: "iptables-nft-restore" },
  { save: "iptables-save", restore: "iptables-restore" },
] as const;

type Variant = (typeof variants)[number];

/**
 * Puts the rules in force in the network namespace of this process, in one transaction: all of them or none. Run again,
 * with the same options, it changes nothing; with others, it replaces what stands.
 * @throws RedirectionError when the tools, the privilege or the kernel's support is missing.
 */
export async function startInit(options: RedirectionOptions): Promise<RedirectionResult> {
  const { variant, rules } = await readCurrent();
  if (isInForce(options, rules)) return { outcome: "unchanged" };
  const input = formatRestore(options, rules);
  const { code, output, errors } = await execute(variant.restore, ["--noflush"], input);
  if (code !== 0) throw new RedirectionError(explain(variant.restore, `${output}${errors}`));
  return { outcome: "applied" };
}

async function readCurrent(): Promise<{ readonly variant: Variant; readonly rules: string }> {
  for (const variant of variants) {
    const result = await execute(variant.save, ["-t", "nat"], "").catch(ignoreMissing);
    if (result === undefined) continue;
    if (result.code !== 0) throw new RedirectionError(explain(variant.save, result.errors));
    return { variant, rules: result.output };
  }
  throw new RedirectionError(
    `neither ${variants.map((variant) => variant.restore).join(" nor ")} is in PATH. Install iptables (Debian: the package iptables), or use weft's own image, which has it.`,
  );
}

function ignoreMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  return undefined;
}

/** What the tool says, with what to do about the causes that are known. */
function explain(program: string, errors: string): string {
  const said = errors.trim().split("\n").slice(0, 3).join("; ");
  return `${program} failed: ${said || "it gave no reason"}. ${advise(errors)}`;
}

function advise(errors: string): string {
  if (/permission denied|operation not permitted|you must be root/i.test(errors)) {
    return "Redirection needs root (UID 0) with the capability NET_ADMIN: allow them to the container weft-init (Pod Security level privileged), or do without it (injection.redirection: cni or none).";
  }
  if (/missing kernel module|not supported|no chain\/target\/match|invalid argument|does not exist/i.test(errors)) {
    return "The node's kernel lacks a module: load nf_tables, nft_compat, nf_nat, xt_owner, xt_REDIRECT and xt_tcpudp there, or do without redirection (injection.redirection: cni or none).";
  }
  return "Nothing was changed. `weft init --dry-run` prints the rules.";
}

interface Execution {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

function execute(program: string, args: readonly string[], input: string): Promise<Execution> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { stdio: ["pipe", "pipe", "pipe"] });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
    child.once("error", reject);
    // A tool that ends before it has read its input: its exit code tells more than EPIPE.
    child.stdin.on("error", () => undefined);
    child.once("close", (code) => resolve({ code, output: Buffer.concat(output).toString(), errors: Buffer.concat(errors).toString() }));
    child.stdin.end(input);
  });
}
