/**
 * Objects → MeshSnapshot: what the mesh is at one moment, in our own words. Pure, and rebuilt as a whole on each change;
 * whatever is wrong with an object is a Problem, and the rest goes on.
 */
import { compareProblems } from "../std/problem.ts";
import { sortedBy } from "../std/sort.ts";
import { containers } from "../std/well-known.ts";
import type { Pod } from "../api/kubernetes.ts";
import type { MeshConfig } from "../api/mesh-config.ts";
import { objectKey, type MeshObjects } from "../api/objects.ts";
import { collectMonitors, type Monitors } from "./monitors.ts";
import { indexPods } from "./pod-index.ts";
import { collectServices, type Services } from "./services.ts";
import { collectSplits } from "./splits.ts";
import { collectTlsSettings, type TlsSettings } from "./tls-settings.ts";
import type { SnapshotResult, SpiffeId, Workload, WorkloadKey } from "./snapshot.ts";

export interface SnapshotOptions {
  readonly config: MeshConfig;
  /** Whether a pod without our proxy is taken as a member: on files, what §5 would decide. Default: by its containers. */
  readonly isInjected?: (pod: Pod) => boolean;
}

/** The whole mesh, and what is wrong with it, sorted. Throws for bugs only. */
export function buildSnapshot(objects: MeshObjects, options: SnapshotOptions): SnapshotResult {
  const { config } = options;
  const members = sortedBy([...objects.Pod.values()].filter(isWorkload), (pod) => objectKey(pod.metadata));
  const bare = new Map(members.map((pod) => [objectKey(pod.metadata), toBareWorkload(pod, options)]));
  const pods = indexPods(members);
  const tls = collectTlsSettings({ objects, pods, config });
  const monitors = collectMonitors(objects, pods);
  const services = collectServices({ objects, pods, workloads: { byKey: bare, byAddress: addressesOf(bare.values()) } });
  const splits = collectSplits({ objects, services: services.services, clusterDomain: config.clusterDomain });
  const finish = { config, tls: tls.settings, monitors, services };
  return {
    snapshot: {
      trustDomain: config.trustDomain,
      clusterDomain: config.clusterDomain,
      workloads: new Map([...bare].map(([key, workload]) => [key, toWorkload(workload, finish)])),
      services: services.services,
      splits: splits.splits,
      monitors: monitors.monitors,
    },
    problems: [...tls.problems, ...monitors.problems, ...services.problems, ...splits.problems].toSorted(compareProblems),
  };
}

/**
 * A pod that ended has no traffic, but one that is being deleted still drains. A pod on the host's network cannot be
 * captured, and its addresses are the node's.
 */
function isWorkload(pod: Pod): boolean {
  return !pod.hostNetwork && (!pod.ended || pod.terminating);
}

type BareWorkload = Omit<Workload, "tlsMode" | "subjectNames" | "monitors" | "ports">;

function toBareWorkload(pod: Pod, { config, isInjected }: SnapshotOptions): BareWorkload {
  const { namespace, name, uid, labels } = pod.metadata;
  const inMesh = pod.containers.includes(containers.proxy) || (isInjected?.(pod) ?? false);
  const identity: SpiffeId = `spiffe://${config.trustDomain}/ns/${namespace}/sa/${pod.serviceAccount}`;
  return { key: objectKey(pod.metadata), namespace, name, uid, serviceAccount: pod.serviceAccount, identity, labels, addresses: pod.ips, inMesh };
}

interface Parts {
  readonly config: MeshConfig;
  readonly tls: ReadonlyMap<WorkloadKey, TlsSettings>;
  readonly monitors: Monitors;
  readonly services: Services;
}

function toWorkload(bare: BareWorkload, { config, tls, monitors, services }: Parts): Workload {
  const settings = tls.get(bare.key) ?? { mode: config.tls.mode, subjectNames: [] };
  const ports = [...(services.ports.get(bare.key) ?? [])].toSorted(([a], [b]) => a - b);
  return {
    ...bare,
    tlsMode: settings.mode,
    subjectNames: settings.subjectNames,
    monitors: monitors.byWorkload.get(bare.key) ?? [],
    ports: new Map(ports),
  };
}

/** The first in order keeps an address that two pods have: a new pod may get it while the old one is still being deleted. */
function addressesOf(workloads: Iterable<BareWorkload>): ReadonlyMap<string, WorkloadKey> {
  const found = new Map<string, WorkloadKey>();
  for (const { addresses, key } of workloads) {
    for (const address of addresses) if (!found.has(address)) found.set(address, key);
  }
  return found;
}
