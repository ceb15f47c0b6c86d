import { ensureInboundSource, hasIpv6 } from "./addresses.ts";
import { chooseFilter, natRules, type Choice, type FamilyState, type Filter, type ToolFailure } from "./choose-tool.ts";
import { advise, RedirectionError } from "./redirection-error.ts";
import { buildRules, formatRestore, hasOurs, isInForce, type Family, type RedirectionOptions } from "./rules.ts";
import { readState, restore, toolName } from "./tools.ts";

/** `auto` = IPv4, and IPv6 when the pod can be called by it. */
export const familyChoices = ["auto", "ipv4", "ipv6", "dual"] as const;
export type FamilyChoice = (typeof familyChoices)[number];

export interface RedirectionResult {
  readonly family: Family;
  /** `unchanged` = the same rules were in force already, and none was touched. */
  readonly outcome: "applied" | "unchanged";
  /** `iptables-nft`, … */
  readonly tool: string;
  /** Why it was taken. */
  readonly because: string;
}

/**
 * Puts the rules in force in the network namespace of this process, each family's in one transaction: all of them or
 * none. Run again, with the same options, it changes nothing; with others, it replaces what stands.
 * @throws RedirectionError when the tools, the privilege or the kernel's support is missing.
 */
export async function startInit(options: RedirectionOptions, families: FamilyChoice): Promise<readonly RedirectionResult[]> {
  const wanted = await familiesOf(families);
  const plans: Plan[] = [];
  // Everything that can be found wrong is, before anything is changed.
  for (const family of wanted) plans.push(plan(await readState(family), buildRules(options, family)));
  if (wanted.includes("ipv6")) await ensureInboundSource();
  const results: RedirectionResult[] = [];
  for (const each of plans) results.push(await carryOut(each));
  for (const family of others(wanted)) await takeOut(family);
  return results;
}

interface Plan extends Choice {
  readonly state: FamilyState;
  readonly rules: readonly string[];
}

async function familiesOf(choice: FamilyChoice): Promise<readonly Family[]> {
  if (choice === "ipv4" || choice === "ipv6") return [choice];
  return choice === "dual" || (await hasIpv6()) ? ["ipv4", "ipv6"] : ["ipv4"];
}

function others(wanted: readonly Family[]): Family[] {
  return (["ipv4", "ipv6"] as const).filter((family) => !wanted.includes(family));
}

function plan(state: FamilyState, rules: readonly string[]): Plan {
  const choice = chooseFilter(state);
  if (choice !== undefined) return { ...choice, state, rules };
  throw explain(state, []);
}

async function carryOut(planned: Plan): Promise<RedirectionResult> {
  const { state, rules, filter, because } = planned;
  const result = { family: state.family, tool: toolName(state.family, filter), because };
  const other: Filter = filter === "nft" ? "legacy" : "nft";
  const elsewhere = hasOurs(natRules(state, other));
  if (isInForce(rules, natRules(state, filter)) && !elsewhere) return { ...result, outcome: "unchanged" };
  const failure = await restore(state.family, filter, formatRestore(rules, natRules(state, filter)));
  if (failure !== undefined) return await fallBack(planned, failure);
  if (elsewhere) await removeOurs(state, other);
  return { ...result, outcome: "applied" };
}

/** A kernel may have nf_tables without what our rules need of it, and a table of that name may be somebody's who is not iptables. */
async function fallBack(planned: Plan, failure: ToolFailure): Promise<RedirectionResult> {
  const { state, filter } = planned;
  if (filter === "legacy" || failure.kind === "refused") throw explain(state, [failure]);
  const second = await restore(state.family, "legacy", formatRestore(planned.rules, natRules(state, "legacy")));
  if (second !== undefined) throw explain(state, [failure, second]);
  if (hasOurs(natRules(state, "nft"))) await removeOurs(state, "nft");
  return { family: state.family, tool: toolName(state.family, "legacy"), because: `${failure.program} failed: ${failure.said}`, outcome: "applied" };
}

/** Ours of an earlier run, with another filter or for a family that is not wanted any more, would redirect as well. */
async function removeOurs(state: FamilyState, filter: Filter): Promise<void> {
  const failure = await restore(state.family, filter, formatRestore([], natRules(state, filter)));
  if (failure !== undefined) throw explain(state, [failure]);
}

/** A family that cannot be read has no rules of ours. */
async function takeOut(family: Family): Promise<void> {
  const state = await readState(family).catch(() => undefined);
  for (const filter of ["nft", "legacy"] as const) {
    if (state !== undefined && hasOurs(natRules(state, filter))) await removeOurs(state, filter);
  }
}

/** `failures` come after the one of reading, if there was one. */
function explain({ family, nft }: FamilyState, failures: readonly ToolFailure[]): RedirectionError {
  const all = "failure" in nft ? [nft.failure, ...failures] : failures;
  if (all.every(({ kind }) => kind === "missing")) {
    const tools = (["nft", "legacy"] as const).map((filter) => `${toolName(family, filter)}-restore`);
    return new RedirectionError(`neither ${tools.join(" nor ")} is in PATH. Install iptables 1.8 or later (Debian: the package iptables), or use weft's own image, which has it.`);
  }
  const said = all.map(({ program, said: words }) => `${program} failed: ${words}`).join(". ");
  const without = family === "ipv4" || all.some(({ kind }) => kind === "refused") ? "" : " To leave IPv6 alone give --ip-families ipv4: it then passes the proxy by.";
  return new RedirectionError(`${said}. ${advise(said)}${without}`);
}
