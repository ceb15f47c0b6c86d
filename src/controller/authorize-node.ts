import type { MeshSnapshot } from "../mesh/snapshot.ts";
import type { Admission } from "../xds/session.ts";

/** A node id is `namespace/pod`; whoever uses it must have the certificate of that pod's identity. */
export function authorizeNode(snapshot: MeshSnapshot, nodeId: string, spiffeIds: readonly string[]): Admission {
  const shown = JSON.stringify(nodeId.slice(0, 320));
  const workload = snapshot.workloads.get(nodeId);
  // One sentence for both: a stranger does not learn which pods exist.
  const owned = workload !== undefined && spiffeIds.length === 1 && spiffeIds[0] === workload.identity;
  return owned ? { ok: true, proxy: workload.key } : { ok: false, reason: `node id ${shown} does not belong to ${spiffeIds.join(", ") || "a certificate without identity"}` };
}
