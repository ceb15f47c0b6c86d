import jsonPatch, { type Operation } from "fast-json-patch";
import { injectLabel } from "../std/well-known.ts";
import type { Decision } from "../../webhook/inject/decide.ts";
import { namespaceFacts, type NamespaceFacts } from "../../webhook/inject/facts.ts";
import { createInjector, type Injection, type Injector } from "../../webhook/inject/injector.ts";
import { reasons } from "../../webhook/inject/reasons.ts";
import type { InjectFlags } from "./inject-flags.ts";
import type { InjectInput } from "./inject-input.ts";
import { mapWorkloads, type Workload } from "./inject-workloads.ts";
import { Failure } from "./program.ts";

/** What became of one workload. */
export interface WorkloadResult {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly decision: Decision;
  readonly warnings: readonly string[];
  readonly rewrites: readonly string[];
  readonly patch: readonly Operation[];
}

export interface InjectedDocuments {
  /** In the order of the input; those without a pod template are the same objects. */
  readonly documents: readonly unknown[];
  readonly workloads: readonly WorkloadResult[];
  readonly problems: readonly string[];
}

/** Injects every workload of the input with the webhook's own injector. Throws a Failure for a configuration that cannot be used. */
export function injectDocuments(input: InjectInput, flags: InjectFlags): InjectedDocuments {
  const injector = openInjector(input, flags);
  const workloads: WorkloadResult[] = [];
  const problems: string[] = [];
  const documents = input.documents.map(({ file, value }) =>
    mapWorkloads(value, flags.namespace, (workload) => {
      const facts = labelled(namespaceFacts(input.objects, workload.namespace), flags);
      const injection = injector.inject({ pod: workload.pod, namespace: workload.namespace, facts });
      if (injection === undefined) {
        problems.push(`${file}: ${formatWorkload(workload)} has no spec of a pod; it is left as it is`);
        return workload.pod;
      }
      const result = toResult(workload, injection);
      workloads.push(result);
      return result.patch.length === 0 ? workload.pod : applyPatch(workload.pod, result.patch);
    }),
  );
  return { documents, workloads, problems };
}

export function formatWorkload({ kind, namespace, name }: { readonly kind: string; readonly namespace: string; readonly name: string }): string {
  return `${kind} ${namespace}/${name}`;
}

/** The patch on a copy: the input stays as it is. */
function applyPatch(pod: object, patch: readonly Operation[]): unknown {
  return jsonPatch.applyPatch(structuredClone(pod), patch).newDocument;
}

function openInjector({ config }: InjectInput, { kubernetesVersion }: InjectFlags): Injector {
  try {
    return createInjector(config, kubernetesVersion);
  } catch (error) {
    throw new Failure(`the mesh configuration cannot be used: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The flag stands for the namespace's label; without it the namespace's own counts, and without one `enabled`. */
function labelled(facts: NamespaceFacts, { inject }: InjectFlags): NamespaceFacts {
  const label = inject ?? facts.labels[injectLabel] ?? "enabled";
  return { ...facts, labels: { ...facts.labels, [injectLabel]: label } };
}

function toResult({ kind, namespace, name }: Workload, injection: Injection): WorkloadResult {
  const { decision, warnings, rewrites } = injection;
  const told = reasons[decision.code].warn ? [decision.sentence] : [];
  return { kind, namespace, name, decision, warnings: [...told, ...warnings], rewrites, patch: JSON.parse(injection.patch) as Operation[] };
}
