import type { MeshSnapshot, WorkloadKey } from "../mesh/snapshot.ts";
import type { MonitorTargets } from "../monitor/metrics-server.ts";
import type { ScrapeTarget } from "../monitor/scrape.ts";

/** What the metrics server serves for a Monitor; undefined = there is no such Monitor. Pods without an address are left out. */
export function monitorTargets(snapshot: MeshSnapshot, monitorKey: string): MonitorTargets | undefined {
  const monitor = snapshot.monitors.get(monitorKey);
  if (monitor === undefined) return undefined;
  const workloads = monitor.workloads.flatMap((key) => targetOf(snapshot, key));
  return { ...(monitor.metricLabels !== undefined && { metricLabels: monitor.metricLabels }), workloads };
}

function targetOf(snapshot: MeshSnapshot, key: WorkloadKey): readonly ScrapeTarget[] {
  const workload = snapshot.workloads.get(key);
  const address = workload?.addresses[0];
  if (workload === undefined || address === undefined || !workload.inMesh) return [];
  return [{ namespace: workload.namespace, pod: workload.name, address, labels: workload.labels }];
}
