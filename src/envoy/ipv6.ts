/**
 * What the proxy of a pod with an IPv6 address has besides. Others do not have it: where the kernel has no IPv6, Envoy
 * refuses a listener and a cluster that names such an address.
 */
import type { ClusterJson } from "../gen/envoy/config/cluster/v3/cluster_pb.d.ts";
import type { ListenerJson } from "../gen/envoy/config/listener/v3/listener_pb.d.ts";
import type { ResourceSet } from "../std/resource-set.ts";
import { tcpAddress } from "./address.ts";
import { inboundCluster } from "./clusters.ts";
import { clusterNames } from "./names.ts";

/** A second socket rather than one for both, on which IPv4 clients would show as `::ffff:10.0.0.1`. */
export function listenByIpv6Too(listener: ListenerJson): ListenerJson {
  const port = listener.address?.socketAddress?.portValue ?? 0;
  return { ...listener, additionalAddresses: [{ address: tcpAddress("::", port) }] };
}

/** `weft init` makes `::6` an address of the pod. Envoy binds to the source address of the called address's family. */
export function callByIpv6Too(clusters: ResourceSet["cluster"]): ResourceSet["cluster"] {
  return new Map([...clusters, [clusterNames.inbound, dualInboundCluster]]);
}

const dualInboundCluster: ClusterJson = {
  ...inboundCluster,
  upstreamBindConfig: { ...inboundCluster.upstreamBindConfig, extraSourceAddresses: [{ address: { address: "::6", portValue: 0 } }] },
};
