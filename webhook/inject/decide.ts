/**
 * Whether a pod is injected, and why: DESIGN §5 as an ordered table. Pure; the same facts give the same decision.
 *
 *   opt-in value valid? ─► skips, first match wins ─► annotations valid? ─► collisions ─► injected
 */
import { componentLabel, injectLabel } from "../../src/std/well-known.ts";
import type { ObjectRef } from "../../src/std/problem.ts";
import { findCollision } from "./collisions.ts";
import type { Facts } from "./facts.ts";
import { foreignMesh } from "./foreign-mesh.ts";
import { findAgent } from "./injected.ts";
import { planProbes } from "./probes.ts";
import { readAnnotations } from "./read-annotations.ts";
import { reasons, type Outcome, type ReasonCode, type RuleName } from "./reasons.ts";
import { evaluateRules, type OptIn, type RuleResult } from "./rules.ts";
import { annotatedSettings, excludePorts, type PodSettings } from "./settings.ts";

/** One step of the way to a decision, with what it looked at. `holds` = this step applies. */
export interface TraceEntry {
  readonly step: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly holds: boolean;
}

export interface Decision {
  readonly decision: Outcome;
  readonly code: ReasonCode;
  /** What caused an injection; empty otherwise. */
  readonly rules: readonly RuleName[];
  /** The resources behind the rules. */
  readonly resources: readonly ObjectRef[];
  readonly sentence: string;
  readonly trace: readonly TraceEntry[];
  /** What a patch has to do: everything, only what a later webhook made necessary, or nothing. */
  readonly work: "full" | "extend" | "none";
  /** The mesh configuration with the annotations over it. */
  readonly settings: PodSettings;
  /** Of an injection: what was asked for and means nothing. */
  readonly warnings: readonly string[];
}

/** Namespaces of Kubernetes itself; the control plane's own and those of the configuration come on top. */
const neverCaptured: readonly string[] = ["kube-system", "kube-public", "kube-node-lease"];
const namespaceValues: readonly string[] = ["enabled", "always"];
const podValues: readonly string[] = ["always", "enabled", "disabled"];

/** Decides on one pod. The sentence names what it is about. */
export function decide(facts: Facts): Decision {
  const trace: TraceEntry[] = [];
  const word = readWord(facts);
  const asked = readSettings(facts);
  const { settings } = asked;
  trace.push({ step: "opt-in", inputs: { pod: word.pod ?? "", namespace: word.namespace ?? "" }, holds: word.invalid === undefined });
  if (word.invalid !== undefined) return conclude("inject-value-invalid", word.invalid, { trace, settings });
  const rules = evaluateRules(facts, word.optIn);
  for (const skip of skips) {
    const found = skip.test({ facts, optIn: word.optIn, rules, settings });
    trace.push({ step: skip.code, inputs: found.inputs, holds: found.sentence !== undefined });
    if (found.work === "extend") return inject(rules, "extend", { trace, settings });
    if (found.sentence !== undefined) return conclude(skip.code, found.sentence, { trace, settings });
  }
  const rejection = findRejection(facts, asked, trace);
  if (rejection !== undefined) return conclude(rejection.code, rejection.sentence, { trace, settings });
  return { ...inject(rules, "full", { trace, settings }), warnings: asked.warnings };
}

/** What makes a pod that would be injected impossible to inject. */
function findRejection({ pod }: Facts, { given, faults }: Asked, trace: TraceEntry[]): { readonly code: ReasonCode; readonly sentence: string } | undefined {
  trace.push({ step: "annotations-invalid", inputs: { given }, holds: faults.length > 0 });
  if (faults.length > 0) return { code: "annotations-invalid", sentence: faults.join("; ") };
  const collision = findCollision(pod);
  trace.push({ step: "collisions", inputs: { found: collision?.code ?? "" }, holds: collision !== undefined });
  return collision;
}

interface Asked {
  readonly settings: PodSettings;
  readonly given: readonly string[];
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
}

function readSettings({ pod, namespace, config }: Facts): Asked {
  const { values, faults, warnings } = readAnnotations({ pod: pod.annotations, namespace: namespace.annotations, namespaceName: namespace.name });
  const { settings, faults: more } = annotatedSettings(values, { config, podResources: pod.podResources });
  const asked = { given: Object.keys(values), faults: [...faults, ...more], warnings };
  if (settings.rewriteProbes) return { ...asked, settings };
  const result = excludePorts(settings, planProbes(pod, settings).excludedPorts);
  return { ...asked, ...result, faults: [...asked.faults, ...result.faults] };
}

interface Word {
  readonly pod: string | undefined;
  readonly namespace: string | undefined;
  readonly optIn: OptIn | undefined;
  /** A sentence when the value that counts is not known. */
  readonly invalid: string | undefined;
}

/** The pod's word wins over the namespace's, which then is not even looked at. */
function readWord({ pod, namespace }: Facts): Word {
  const own = Object.hasOwn(pod.labels, injectLabel) ? pod.labels[injectLabel] : undefined;
  const outer = Object.hasOwn(namespace.labels, injectLabel) ? namespace.labels[injectLabel] : undefined;
  const value = own ?? outer;
  const known = own === undefined ? namespaceValues : podValues;
  if (value === undefined || known.includes(value)) return { pod: own, namespace: outer, optIn: value as OptIn | undefined, invalid: undefined };
  const bearer = own === undefined ? `namespace '${namespace.name}'` : "pod";
  const invalid = `the label ${injectLabel} of the ${bearer} is '${value}'; it may be ${known.join(" or ")}`;
  return { pod: own, namespace: outer, optIn: undefined, invalid };
}

interface SkipInput {
  readonly facts: Facts;
  readonly optIn: OptIn | undefined;
  readonly rules: readonly RuleResult[];
  readonly settings: PodSettings;
}
/** `sentence` = the skip applies. */
interface SkipResult {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly sentence: string | undefined;
  readonly work?: "extend";
}
interface Skip {
  readonly code: ReasonCode;
  readonly test: (input: SkipInput) => SkipResult;
}

const skips: readonly Skip[] = [
  { code: "namespace-not-opted-in", test: ({ optIn }) => when(optIn === undefined, { label: injectLabel }, reasons["namespace-not-opted-in"].sentence) },
  { code: "pod-opted-out", test: ({ optIn }) => when(optIn === "disabled", { optIn }, reasons["pod-opted-out"].sentence) },
  {
    code: "host-network",
    test: ({ facts }) => when(facts.pod.hostNetwork, { hostNetwork: facts.pod.hostNetwork }, reasons["host-network"].sentence),
  },
  { code: "already-injected", test: testInjected },
  { code: "foreign-sidecar", test: testForeign },
  { code: "no-resource-selects-pod", test: testRules },
  { code: "control-plane-pod", test: testControlPlane },
  {
    code: "unsupported-os",
    test: ({ facts: { pod } }) => when(pod.os !== "linux", { os: pod.os }, `the pod runs on ${pod.os}; weft injects pods on linux only`),
  },
  { code: "namespace-excluded", test: testExcluded },
];

function when(holds: boolean, inputs: Readonly<Record<string, unknown>>, sentence: string): SkipResult {
  return { inputs, sentence: holds ? sentence : undefined };
}

/** A pod that was injected is asked again when a later webhook changed it (reinvocationPolicy IfNeeded). */
function testInjected({ facts: { pod }, settings }: SkipInput): SkipResult {
  const injected = findAgent(pod) !== undefined;
  if (!injected) return when(false, { injected }, "");
  const { rewrites } = planProbes(pod, settings);
  const inputs = { injected, probesToRewrite: rewrites.map(({ container, kind }) => `${container.name}/${kind}`) };
  return rewrites.length > 0 ? { inputs, sentence: undefined, work: "extend" } : when(true, inputs, reasons["already-injected"].sentence);
}

function testForeign({ facts: { pod } }: SkipInput): SkipResult {
  const mesh = foreignMesh(pod);
  return when(mesh !== undefined, { mesh: mesh?.name ?? "" }, `the pod carries the proxy of ${mesh?.name} ('${mesh?.container}')`);
}

function testRules({ rules }: SkipInput): SkipResult {
  const inputs = Object.fromEntries(rules.map(({ rule, considered, selected }) => [rule, { considered, selected: selected.map(({ name }) => name) }]));
  return when(!rules.some(({ holds }) => holds), inputs, reasons["no-resource-selects-pod"].sentence);
}

function testControlPlane({ facts: { pod } }: SkipInput): SkipResult {
  const owner = Object.hasOwn(pod.labels, componentLabel) ? pod.labels[componentLabel] : undefined;
  return when(owner === "weft", { [componentLabel]: owner ?? "" }, reasons["control-plane-pod"].sentence);
}

function testExcluded({ facts: { namespace, config } }: SkipInput): SkipResult {
  const excluded = [...neverCaptured, config.controlPlane.namespace, ...config.injection.excludedNamespaces];
  return when(excluded.includes(namespace.name), { namespace: namespace.name, excluded }, `the namespace '${namespace.name}' is never captured`);
}

/** What every decision carries. */
interface Found {
  readonly trace: readonly TraceEntry[];
  readonly settings: PodSettings;
}

function conclude(code: ReasonCode, sentence: string, found: Found): Decision {
  return { decision: reasons[code].decision, code, rules: [], resources: [], sentence, ...found, work: "none", warnings: [] };
}

function inject(results: readonly RuleResult[], work: "full" | "extend", found: Found): Decision {
  const holding = results.filter(({ holds }) => holds);
  const rules = holding.map(({ rule }) => rule);
  const resources = holding.flatMap(({ selected }) => selected);
  const because = rules.length === 0 ? "" : ` because of ${rules.join(", ")}`;
  const sentence = work === "full" ? `the pod is given its sidecars${because}` : "probes that came after the injection are rewritten";
  return { decision: "injected", code: "injected", rules, resources, sentence, ...found, work, warnings: [] };
}
