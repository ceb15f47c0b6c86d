import type { WorkloadSettings } from "../api/certificates.ts";
import type { MeshSnapshot, Workload, WorkloadKey } from "../mesh/snapshot.ts";

/** What the CA tells a pod's agent while the pod runs; undefined = no such pod. */
export function workloadSettings(snapshot: MeshSnapshot, key: WorkloadKey): WorkloadSettings | undefined {
  const workload = snapshot.workloads.get(key);
  if (workload === undefined) return undefined;
  return { metricLabels: metricLabelsOf(snapshot, workload), subjectNames: [...workload.subjectNames] };
}

/** Of the Monitors that select the pod, the first by key wins for each label; one without metricLabels stands for the pod's own. */
function metricLabelsOf(snapshot: MeshSnapshot, workload: Workload): Record<string, string> {
  const monitors = workload.monitors.flatMap((key) => snapshot.monitors.get(key) ?? []);
  if (monitors.length === 0) return { ...workload.labels };
  return Object.assign({}, ...monitors.map((monitor) => monitor.metricLabels ?? workload.labels).reverse());
}
