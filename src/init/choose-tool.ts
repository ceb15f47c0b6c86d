/** Which of the kernel's two packet filters takes the rules: nf_tables, or the older x_tables ("legacy"). */
import type { Family } from "./rules.ts";

export type Filter = "nft" | "legacy";

/** What the tools say about one family in this network namespace, before anything is changed. */
export interface FamilyState {
  readonly family: Family;
  /** `iptables-nft-save -t nat`, or why it gave nothing. */
  readonly nft: { readonly rules: string } | { readonly failure: ToolFailure };
  /** `iptables-legacy-save` of the tables that exist. */
  readonly legacy: string;
}

export interface ToolFailure {
  readonly program: string;
  readonly kind: "missing" | "refused" | "unsupported";
  /** What it said. */
  readonly said: string;
}

export interface Choice {
  readonly filter: Filter;
  readonly because: string;
}

/**
 * nf_tables, unless the kernel or the machine does not have it, or rules stand in legacy tables already: two filters that
 * both translate addresses see each other's packets, and in which order depends on which came first. undefined = without the privilege, neither would do.
 */
export function chooseFilter({ nft, legacy }: FamilyState): Choice | undefined {
  if (/^-A /m.test(legacy)) return { filter: "legacy", because: "legacy tables hold rules already" };
  if ("rules" in nft) return { filter: "nft", because: "the kernel has nf_tables" };
  if (nft.failure.kind === "refused") return undefined;
  const { kind, program } = nft.failure;
  return { filter: "legacy", because: kind === "missing" ? `${program} is not installed` : "the kernel has no nf_tables" };
}

/** The table nat of a dump of one filter; empty when there is none. */
export function natRules(state: FamilyState, filter: Filter): string {
  const dump = filter === "legacy" ? state.legacy : "rules" in state.nft ? state.nft.rules : "";
  return /^\*nat$(.*?)^COMMIT$/ms.exec(dump)?.[1] ?? "";
}
