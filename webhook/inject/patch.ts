/**
 * The JSON Patch of one pod: minimal operations guarded by `test`, written directly, its size independent of the pod's.
 *
 *   probes ─► containers (at the front) ─► volumes, pull secrets (at the end) ─► annotations
 *
 * Probes come first, while the positions of the user's containers are still those of the pod as it came.
 */
import type { MeshConfig } from "../../src/api/mesh-config.ts";
import { statusAnnotation } from "../../src/std/well-known.ts";
import { formatStatus, planAnnotations, type AnnotationPlan } from "./annotations.ts";
import type { Decision } from "./decide.ts";
import type { Fragments } from "./fragments.ts";
import { findAgent, findProbesVariable, type Undo } from "./injected.ts";
import { asRecord, field, listAt, textAt } from "./opaque.ts";
import { holderPath } from "./kubelet-calls.ts";
import { addOperation, pointer, replaceOperation, testOperation, toJson } from "./operations.ts";
import type { PodView } from "./pod.ts";
import { formatProbes, parseProbes, probeKey, type ProbeEntries } from "./probe-entries.ts";
import { planProbes, rewriteHolder, rewrittenHttpGet, type ProbeRewrite } from "./probes.ts";

export interface PatchInput {
  readonly pod: PodView;
  readonly decision: Decision;
  readonly config: MeshConfig;
  readonly fragments: Fragments;
  readonly native: boolean;
}

export interface PatchResult {
  /** A JSON array of operations; `[]` when there is nothing to do. */
  readonly text: string;
  /** Where something of the user's was changed, or added where others read it. */
  readonly rewrites: readonly string[];
  readonly warnings: readonly string[];
}

/** Writes the patch for a decision. */
export function buildPatch(input: PatchInput): PatchResult {
  if (input.decision.work === "none") return { text: "[]", rewrites: [], warnings: [] };
  return input.decision.work === "extend" ? extendPod(input) : injectPod(input);
}

function injectPod(input: PatchInput): PatchResult {
  const { pod, decision } = input;
  const { rewrites, warnings } = planProbes(pod, decision.settings);
  const annotations = planAnnotations(pod, decision);
  const empty: Record<string, unknown> = {};
  const pullSecrets = missingPullSecrets(input);
  const operations = [
    ...rewrites.flatMap(rewriteProbe),
    ...addContainers(input, rewrites, empty),
    ...append({ pod, list: "volumes", empty }, input.fragments.volumes),
    ...append({ pod, list: "imagePullSecrets", empty }, pullSecrets.map((name) => JSON.stringify({ name }))),
    ...annotate(input, { plan: annotations, empty, pullSecrets }),
  ];
  return { text: `[${operations.join(",")}]`, rewrites: [...rewrites.map(nameRewrite), ...annotations.rewrites.map(nameAnnotation)], warnings };
}

/** A pod that has its sidecars, and probes that came later: those alone. */
function extendPod({ pod, decision }: PatchInput): PatchResult {
  const { rewrites, warnings } = planProbes(pod, decision.settings);
  const agent = findAgent(pod);
  const variable = agent === undefined ? undefined : findProbesVariable(agent);
  if (agent === undefined || variable === undefined) return { text: "[]", rewrites: [], warnings };
  const environment = pointer("spec", agent.list, agent.index, "env", variable.index);
  const probes = formatProbes({ ...parseProbes(variable.value), ...toEntries(rewrites) });
  const operations = [
    ...rewrites.flatMap(rewriteProbe),
    testOperation(`${pointer("spec", agent.list, agent.index)}/name`, agent.name),
    testOperation(`${environment}/name`, "WEFT_PROBES"),
    replaceOperation(`${environment}/value`, JSON.stringify(probes)),
  ];
  return { text: `[${operations.join(",")}]`, rewrites: rewrites.map(nameRewrite), warnings };
}

/** An httpGet alone is replaced; another action is renamed where it stood, which takes the whole probe. */
function rewriteProbe({ container, call }: ProbeRewrite): string[] {
  const path = pointer("spec", container.list, container.index);
  const holder = path + pointer(...holderPath(call.kind));
  const guard = testOperation(`${path}/name`, container.name);
  if (call.action === "httpGet") return [guard, replaceOperation(`${holder}/httpGet`, JSON.stringify(rewrittenHttpGet(container.name, call.kind)))];
  return [guard, testOperation(`${holder}/${call.action}`, call.settings), replaceOperation(holder, toJson(rewriteHolder(container.name, call)))];
}

function toEntries(rewrites: readonly ProbeRewrite[]): ProbeEntries {
  return Object.fromEntries(rewrites.map(({ container, kind, entry }) => [probeKey(container.name, kind), entry]));
}

function addContainers(input: PatchInput, rewrites: readonly ProbeRewrite[], empty: Record<string, unknown>): string[] {
  const { pod, fragments, native } = input;
  const sidecars = [fragments.agent(formatProbes(toEntries(rewrites))), fragments.adapter, fragments.proxy].filter((text) => text !== undefined);
  const init = fragments.init === undefined ? [] : [fragments.init];
  if (native) return prepend({ pod, list: "initContainers", empty }, [...init, ...sidecars]);
  // Ordinary containers run after all init containers: redirection comes last, or these would be without a network.
  return [...append({ pod, list: "initContainers", empty }, init), ...prepend({ pod, list: "containers", empty }, sidecars)];
}

interface ListTarget {
  readonly pod: PodView;
  readonly list: "initContainers" | "containers" | "volumes" | "imagePullSecrets";
  /** Collects what stood in place of an empty list. */
  readonly empty: Record<string, unknown>;
}

function prepend(target: ListTarget, items: readonly string[]): string[] {
  const [first] = listAt(target.pod.spec, target.list);
  if (first === undefined) return addList(target, items);
  const guard = textAt(first, "name");
  const path = pointer("spec", target.list);
  return [...(guard === "" ? [] : [testOperation(`${path}/0/name`, guard)]), ...items.map((item, index) => addOperation(`${path}/${index}`, item))];
}

function append(target: ListTarget, items: readonly string[]): string[] {
  if (listAt(target.pod.spec, target.list).length === 0) return addList(target, items);
  return items.map((item) => addOperation(`${pointer("spec", target.list)}/-`, item));
}

/** A list that is absent, null or empty. */
function addList({ pod, list, empty }: ListTarget, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const path = pointer("spec", list);
  const whole = addOperation(path, `[${items.join(",")}]`);
  const present = field(pod.spec, list);
  if (present === undefined) return [whole];
  empty[list] = present;
  return [testOperation(path, present), whole];
}

function missingPullSecrets({ pod, config }: PatchInput): string[] {
  const present = listAt(pod.spec, "imagePullSecrets").map((secret) => textAt(secret, "name"));
  return config.images.pullSecrets.filter((name) => !present.includes(name));
}

interface AnnotationInput {
  readonly plan: AnnotationPlan;
  readonly empty: Record<string, unknown>;
  readonly pullSecrets: readonly string[];
}

function annotate({ pod, decision }: PatchInput, { plan, empty, pullSecrets }: AnnotationInput): string[] {
  const metadata = asRecord(field(pod.raw, "metadata"));
  const present = field(metadata, "annotations");
  const bare = Object.keys(pod.annotations).length === 0;
  if (bare && present !== undefined) empty["annotations"] = present;
  if (field(pod.raw, "metadata") === null) empty["metadata"] = null;
  const undo: Undo = {
    ...(field(pod.raw, "metadata") === undefined ? { noMetadata: true } : {}),
    ...(Object.keys(empty).length === 0 ? {} : { empty }),
    ...plan.undo,
    ...(pullSecrets.length === 0 ? {} : { pullSecrets }),
  };
  const values = new Map([[statusAnnotation, formatStatus(decision.rules, undo)], ...plan.values]);
  const path = pointer("metadata", "annotations");
  if (metadata === undefined) return [addOperation("/metadata", JSON.stringify({ annotations: Object.fromEntries(values) }))];
  if (bare) {
    const guard = present === undefined ? [] : [testOperation(path, present)];
    return [...guard, addOperation(path, JSON.stringify(Object.fromEntries(values)))];
  }
  return [...values].map(([key, value]) => addOperation(path + pointer(key), JSON.stringify(value)));
}

function nameRewrite({ container, kind }: ProbeRewrite): string {
  return [container.list, container.name, ...holderPath(kind)].join("/");
}

function nameAnnotation(key: string): string {
  return `annotations/${key}`;
}
