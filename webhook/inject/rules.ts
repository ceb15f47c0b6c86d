import type { Selector } from "../../src/api/smi/selector.ts";
import type { ObjectRef } from "../../src/std/problem.ts";
import type { Facts } from "./facts.ts";
import type { RuleName } from "./reasons.ts";

export type OptIn = "always" | "enabled" | "disabled";

/** One rule with its inputs: the resources of its kind, and those of them that select the pod. */
export interface RuleResult {
  readonly rule: RuleName;
  readonly considered: number;
  readonly selected: readonly ObjectRef[];
  readonly holds: boolean;
}

interface Resource {
  readonly kind: string;
  readonly metadata: { readonly namespace: string; readonly name: string };
}

/** Every rule, in the order of `ruleNames`. A Canary or TrafficSplit makes clients of all pods of its namespace. */
export function evaluateRules(facts: Facts, optIn: OptIn | undefined): readonly RuleResult[] {
  const { tlsConfigs, monitors, canaries, trafficSplits } = facts.resources;
  const { labels } = facts.pod;
  return [
    rule("tls-config", tlsConfigs, (config) => selects(config.spec.selector, labels)),
    rule("monitor", monitors, (monitor) => selects(monitor.spec.selector, labels)),
    rule("canary", canaries, () => true),
    rule("traffic-split", trafficSplits, () => true),
    { rule: "always", considered: 0, selected: [], holds: optIn === "always" },
  ];
}

/** All labels must match; an empty selector selects every pod of the namespace. */
export function selects(selector: Selector, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector.matchLabels ?? {}).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
}

function rule<T extends Resource>(name: RuleName, resources: readonly T[], test: (resource: T) => boolean): RuleResult {
  const selected = resources.filter(test).map(({ kind, metadata }) => ({ kind, namespace: metadata.namespace, name: metadata.name }));
  return { rule: name, considered: resources.length, selected, holds: selected.length > 0 };
}
