/**
 * ProxyIr → Envoy's resources as proto3-JSON. Resources that several proxies share are the same objects, by the IR's own
 * sharing: `src/xds` then finds their bytes without encoding them again.
 */
import type { ClusterJson } from "../gen/envoy/config/cluster/v3/cluster_pb.d.ts";
import type { ListenerJson } from "../gen/envoy/config/listener/v3/listener_pb.d.ts";
import type { InboundIr, OutboundIr, ProxyIr } from "../ir/proxy-ir.ts";
import type { ResourceSet } from "../std/resource-set.ts";
import { destinationClusters, destinationEndpoints, destinationName, inboundCluster, passthroughCluster } from "./clusters.ts";
import { inboundListener } from "./inbound-listener.ts";
import { callByIpv6Too, listenByIpv6Too } from "./ipv6.ts";
import { outboundListener } from "./outbound-listener.ts";
import { routeConfiguration } from "./routes.ts";

/** All resources of one proxy; proxies with equal parts of the IR get the same objects. */
export function buildResources(ir: ProxyIr): ResourceSet {
  const { listener: outbound, ...shared } = remember(outboundResources, ir.outbound, buildOutbound);
  const inbound = remember(inboundListeners, ir.inbound, inboundListener);
  const listeners = [inbound, outbound].map((listener) => (ir.ipv6 ? remember(dualListeners, listener, listenByIpv6Too) : listener));
  return {
    ...shared,
    cluster: ir.ipv6 ? remember(dualClusters, shared.cluster, callByIpv6Too) : shared.cluster,
    listener: new Map(listeners.map((listener) => [listener.name ?? "", listener])),
  };
}

type Shared = Omit<ResourceSet, "listener"> & { readonly listener: ListenerJson };

/** They go with the parts of the IR that they are made of. */
const outboundResources = new WeakMap<OutboundIr, Shared>();
const inboundListeners = new WeakMap<InboundIr, ListenerJson>();
/** What differs in a pod with an IPv6 address goes with what is there without one. */
const dualListeners = new WeakMap<ListenerJson, ListenerJson>();
const dualClusters = new WeakMap<ResourceSet["cluster"], ResourceSet["cluster"]>();

function remember<K extends WeakKey, V>(known: WeakMap<K, V>, key: K, make: (key: K) => V): V {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make(key);
  known.set(key, made);
  return made;
}

function buildOutbound(outbound: OutboundIr): Shared {
  const { destinations } = outbound;
  const clusters: readonly ClusterJson[] = [inboundCluster, passthroughCluster, ...destinations.flatMap(destinationClusters)];
  return {
    cluster: new Map(clusters.map((cluster) => [cluster.name ?? "", cluster])),
    endpoint: new Map(destinations.map((destination) => [destinationName(destination), destinationEndpoints(destination)])),
    listener: outboundListener(outbound),
    route: new Map(
      destinations
        .filter(({ protocol }) => protocol !== "tcp")
        .map((destination) => [destinationName(destination), routesOf(destination)]),
    ),
  };
}

function routesOf(destination: OutboundIr["destinations"][number]) {
  const clusters = destination.shares.map((share) => ({ name: destinationName(share), weight: share.weight }));
  return routeConfiguration(destinationName(destination), clusters);
}
