import { ports, volumes } from "../../src/std/well-known.ts";
import type { Decision } from "./decide.ts";
import type { InjectionStatus, Undo } from "./injected.ts";
import { textAt } from "./opaque.ts";
import type { PodView } from "./pod.ts";

export const evictAnnotation = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes";
const defaultContainerAnnotation = "kubectl.kubernetes.io/default-container";
const scrapePrefix = "prometheus.io/";

/** Annotations to write, and how to take them back. The status annotation is not among them: it needs the whole undo. */
export interface AnnotationPlan {
  readonly values: ReadonlyMap<string, string>;
  readonly undo: Pick<Undo, "annotations" | "evictAppended">;
  /** Keys that change how others treat the pod: told as rewrites. */
  readonly rewrites: readonly string[];
}

/** What injection annotates. What the pod says itself is kept; only the autoscaler's list is extended. */
export function planAnnotations(pod: PodView, decision: Decision): AnnotationPlan {
  const scrape = scrapeAnnotations(pod, decision);
  const added = new Map([...scrape, ...defaultContainer(pod)]);
  const { [evictAnnotation]: evict } = pod.annotations;
  const extended = typeof evict === "string" && !evict.split(",").includes(volumes.run);
  if (evict === undefined) added.set(evictAnnotation, volumes.run);
  const values = extended ? new Map([...added, [evictAnnotation, appendVolume(evict)] as const]) : added;
  return {
    values,
    undo: { annotations: [...added.keys()], ...(extended ? { evictAppended: true } : {}) },
    rewrites: [...scrape.keys(), ...(extended ? [evictAnnotation] : [])],
  };
}

/** The inverse of the extension of the autoscaler's list. */
export function removeVolume(value: string): string {
  return value === volumes.run ? "" : value.replace(new RegExp(`,${volumes.run}$`), "");
}

export function formatStatus(rules: readonly string[], undo: Undo): string {
  return JSON.stringify({ version: 1, rules, undo } satisfies InjectionStatus);
}

/** Not when the pod names its own target: one pod has one scrape annotation, and the user's wins. */
function scrapeAnnotations(pod: PodView, decision: Decision): Map<string, string> {
  const own = Object.keys(pod.annotations).some((key) => key.startsWith(scrapePrefix));
  if (own || !decision.rules.includes("monitor")) return new Map();
  return new Map([
    [`${scrapePrefix}scrape`, "true"],
    [`${scrapePrefix}port`, String(ports.prometheus)],
    [`${scrapePrefix}path`, "/metrics"],
  ]);
}

/** `kubectl logs` and `exec` go on to mean the user's first container. */
function defaultContainer(pod: PodView): Map<string, string> {
  const first = pod.containers.find(({ list }) => list === "containers")?.name ?? "";
  return first === "" || textAt(pod.annotations, defaultContainerAnnotation) !== "" ? new Map() : new Map([[defaultContainerAnnotation, first]]);
}

function appendVolume(value: string): string {
  return value === "" ? volumes.run : `${value},${volumes.run}`;
}

