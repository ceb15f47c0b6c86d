import type { ListenerJson } from "../gen/envoy/config/listener/v3/listener_pb.d.ts";
import type { FilterChainJson, FilterChainMatchJson } from "../gen/envoy/config/listener/v3/listener_components_pb.d.ts";
import type { Destination, OutboundIr } from "../ir/proxy-ir.ts";
import { ports } from "../std/well-known.ts";
import { singleAddress, tcpAddress } from "./address.ts";
import { destinationName } from "./clusters.ts";
import { httpManager } from "./http-manager.ts";
import { httpInspectors, httpProtocols, originalDestinationFilter } from "./listener-filters.ts";
import { clusterNames, listenerNames, rawClusterName } from "./names.ts";
import { tcpFilters, type WeightedCluster } from "./tcp-proxy.ts";

/**
 * Where the application's connections arrive, redirected: by the address and port that it dialled, each service port has
 * its filter chain; what is none of them passes as it is.
 */
export function outboundListener({ destinations }: OutboundIr): ListenerJson {
  const called = destinations.filter(({ addresses }) => addresses.length > 0);
  const detected = called.filter(({ protocol }) => protocol === "detect").map(({ port }) => port);
  const protocols = new Map(destinations.map((destination) => [destinationName(destination), destination.protocol]));
  return {
    name: listenerNames.outbound,
    address: tcpAddress("0.0.0.0", ports.outbound),
    statPrefix: listenerNames.outbound,
    trafficDirection: "OUTBOUND",
    listenerFilters: [originalDestinationFilter, ...httpInspectors(detected)],
    // A client that has not spoken by then waits for its server to speak first.
    listenerFiltersTimeout: "1s",
    continueOnListenerFiltersTimeout: true,
    filterChains: [selfChain(ports.outbound), ...called.flatMap((destination) => chainsOf(destination, protocols))],
    defaultFilterChain: { name: clusterNames.passthrough, filters: tcpFilters(clusterNames.passthrough, [{ name: clusterNames.passthrough, weight: 1 }]) },
  };
}

/** Closes what was sent to the listener itself and not redirected: passed on, it would come back for ever. */
export function selfChain(port: number): FilterChainJson {
  return { name: "not_redirected", filterChainMatch: { destinationPort: port }, filters: [] };
}

function chainsOf(destination: Destination, protocols: ReadonlyMap<string, Destination["protocol"]>): readonly FilterChainJson[] {
  const match: FilterChainMatchJson = { destinationPort: destination.port, prefixRanges: destination.addresses.map(singleAddress) };
  if (destination.protocol === "tcp") return [rawChain(destination, match, protocols)];
  if (destination.protocol !== "detect") return [httpChain(destination, match)];
  return [httpChain(destination, { ...match, applicationProtocols: httpProtocols }), rawChain(destination, match, protocols)];
}

/** The weights are in the route of the same name: a split that changes touches nothing else. */
function httpChain(destination: Destination, match: FilterChainMatchJson): FilterChainJson {
  const name = destinationName(destination);
  const manager = httpManager({
    statPrefix: name,
    rds: { routeConfigName: name, configSource: { ads: {}, resourceApiVersion: "V3" } },
    forwardClientCertDetails: "ALWAYS_FORWARD_ONLY",
  });
  return { name, filterChainMatch: match, filters: [manager] };
}

function rawChain(destination: Destination, match: FilterChainMatchJson, protocols: ReadonlyMap<string, Destination["protocol"]>): FilterChainJson {
  const name = destinationName(destination);
  const clusters = destination.shares.map((share): WeightedCluster => {
    const cluster = destinationName(share);
    return { name: protocols.get(cluster) === "detect" ? rawClusterName(cluster) : cluster, weight: share.weight };
  });
  return { name: rawClusterName(name), filterChainMatch: match, filters: tcpFilters(name, clusters) };
}
