/**
 * MeshSnapshot → ProxyIr. What proxies have in common is built once per snapshot and is the same object for all of them,
 * so that a thousand proxies cost one build and, in the stages behind, one encoding.
 */
import type { MeshSnapshot, Workload, WorkloadKey } from "../mesh/snapshot.ts";
import { buildOutbound } from "./outbound.ts";
import type { InboundIr, OutboundIr, ProxyIr } from "./proxy-ir.ts";

/** What the proxy of `key` must do; undefined when there is no such pod, or it is not in the mesh. */
export function translate(snapshot: MeshSnapshot, key: WorkloadKey): ProxyIr | undefined {
  const workload = snapshot.workloads.get(key);
  if (workload === undefined || !workload.inMesh) return undefined;
  const shared = sharedOf(snapshot);
  const ipv6 = workload.addresses.some((address) => address.includes(":"));
  return { key, ipv6, inbound: shared.inbound(workload), outbound: shared.outbound };
}

interface Shared {
  readonly outbound: OutboundIr;
  readonly inbound: (workload: Workload) => InboundIr;
}

/** Goes with its snapshot. */
const sharedBySnapshot = new WeakMap<MeshSnapshot, Shared>();

function sharedOf(snapshot: MeshSnapshot): Shared {
  const known = sharedBySnapshot.get(snapshot);
  if (known !== undefined) return known;
  const byContent = new Map<string, InboundIr>();
  const made: Shared = {
    outbound: buildOutbound(snapshot),
    inbound(workload) {
      const inbound = buildInbound(workload, snapshot.trustDomain);
      const content = JSON.stringify(inbound);
      const same = byContent.get(content) ?? inbound;
      byContent.set(content, same);
      return same;
    },
  };
  sharedBySnapshot.set(snapshot, made);
  return made;
}

function buildInbound(workload: Workload, trustDomain: string): InboundIr {
  const ports = [...workload.ports].map(([number, protocol]) => ({ number, protocol })).toSorted((a, b) => a.number - b.number);
  return { tlsMode: workload.tlsMode, peerPrefix: `spiffe://${trustDomain}/`, ports };
}
