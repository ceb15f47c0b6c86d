import { sortedBy } from "../std/sort.ts";
import type { Problem } from "../std/problem.ts";
import { objectKey, type MeshObjects } from "../api/objects.ts";
import type { PodIndex } from "./pod-index.ts";
import { selectPods } from "./select-pods.ts";
import type { MeshMonitor, WorkloadKey } from "./snapshot.ts";

export interface Monitors {
  readonly monitors: ReadonlyMap<string, MeshMonitor>;
  /** Keys of the Monitors that select a workload, sorted. */
  readonly byWorkload: ReadonlyMap<WorkloadKey, readonly string[]>;
  readonly problems: readonly Problem[];
}

/** Monitors with the pods that they select. The parser has already made one of the two spellings of `metricLabels`. */
export function collectMonitors(objects: MeshObjects, pods: PodIndex): Monitors {
  const monitors = new Map<string, MeshMonitor>();
  const byWorkload = new Map<WorkloadKey, string[]>();
  const problems: Problem[] = [];
  for (const monitor of sortedBy(objects.Monitor.values(), (object) => objectKey(object.metadata))) {
    const key = objectKey(monitor.metadata);
    const selected = selectPods(monitor, pods);
    problems.push(...selected.problems);
    const workloads = sortedBy(selected.pods.map((pod) => objectKey(pod.metadata)), (workload) => workload);
    for (const workload of workloads) byWorkload.set(workload, [...(byWorkload.get(workload) ?? []), key]);
    const { namespace, name } = monitor.metadata;
    monitors.set(key, { key, namespace, name, metricLabels: monitor.spec.metricLabels, workloads });
  }
  return { monitors, byWorkload, problems };
}
