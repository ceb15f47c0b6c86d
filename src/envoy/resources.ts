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
import { listenerNames } from "./names.ts";
import { outboundListener } from "./outbound-listener.ts";
import { routeConfiguration } from "./routes.ts";

/** All resources of one proxy; proxies with equal parts of the IR get the same objects. */
export function buildResources(ir: ProxyIr): ResourceSet {
  const { listener, ...shared } = remember(outboundResources, ir.outbound, buildOutbound);
  const inbound = remember(inboundListeners, ir.inbound, inboundListener);
  return { ...shared, listener: new Map([[listenerNames.inbound, inbound], [listenerNames.outbound, listener]]) };
}

type Shared = Omit<ResourceSet, "listener"> & { readonly listener: ListenerJson };

/** They go with the parts of the IR that they are made of. */
const outboundResources = new WeakMap<OutboundIr, Shared>();
const inboundListeners = new WeakMap<InboundIr, ListenerJson>();

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
