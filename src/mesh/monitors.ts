import { sortedBy } from "../std/sort.ts";
import type { Problem } from "../std/problem.ts";
import { objectKey, type MeshObjects } from "../api/objects.ts";
import type { Monitor, MonitorSpec } from "../api/smi/monitor.ts";
import { refOf } from "./object-ref.ts";
import type { PodIndex } from "./pod-index.ts";
import { selectPods } from "./select-pods.ts";
import type { MeshMonitor, WorkloadKey } from "./snapshot.ts";

export interface Monitors {
  readonly monitors: ReadonlyMap<string, MeshMonitor>;
  /** Keys of the Monitors that select a workload, sorted. */
  readonly byWorkload: ReadonlyMap<WorkloadKey, readonly string[]>;
  readonly problems: readonly Problem[];
}

/** Monitors with the pods that they select. `metricLabels` wins over the other spelling. */
export function collectMonitors(objects: MeshObjects, pods: PodIndex): Monitors {
  const monitors = new Map<string, MeshMonitor>();
  const byWorkload = new Map<WorkloadKey, string[]>();
  const problems: Problem[] = [];
  for (const monitor of sortedBy(objects.Monitor.values(), (object) => objectKey(object.metadata))) {
    const key = objectKey(monitor.metadata);
    const selected = selectPods(monitor, pods);
    problems.push(...selected.problems, ...checkLabels(monitor));
    const workloads = sortedBy(selected.pods.map((pod) => objectKey(pod.metadata)), (workload) => workload);
    for (const workload of workloads) byWorkload.set(workload, [...(byWorkload.get(workload) ?? []), key]);
    const { namespace, name } = monitor.metadata;
    monitors.set(key, { key, namespace, name, metricLabels: monitor.spec.metricLabels ?? monitor.spec.metricsLabels, workloads });
  }
  return { monitors, byWorkload, problems };
}

function checkLabels(monitor: Monitor): readonly Problem[] {
  const { metricLabels, metricsLabels }: MonitorSpec = monitor.spec;
  if (metricLabels === undefined || metricsLabels === undefined || sameLabels(metricLabels, metricsLabels)) return [];
  const sentence = "spec.metricLabels and spec.metricsLabels differ, and spec.metricLabels is used; remove spec.metricsLabels.";
  return [{ severity: "error", code: "labels-conflict", object: refOf(monitor), sentence }];
}

function sameLabels(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key]);
}
