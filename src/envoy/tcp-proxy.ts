import type { FilterJson } from "../gen/envoy/config/listener/v3/listener_components_pb.d.ts";
import type { TcpProxyJson } from "../gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.d.ts";
import { packAny } from "./pack-any.ts";

export interface WeightedCluster {
  readonly name: string;
  /** Positive: Envoy's TCP proxy refuses 0. */
  readonly weight: number;
}

/** Passes bytes to one of `clusters`, by weight; without any, there are no filters, and Envoy closes the connection. */
export function tcpFilters(statPrefix: string, clusters: readonly WeightedCluster[]): FilterJson[] {
  const [first] = clusters;
  if (first === undefined) return [];
  const target: TcpProxyJson = clusters.length === 1 ? { cluster: first.name } : { weightedClusters: { clusters: [...clusters] } };
  // An idle connection may be a database's; only its ends may end it.
  const proxy: TcpProxyJson = { statPrefix, ...target, idleTimeout: "0s" };
  return [{ name: "envoy.filters.network.tcp_proxy", typedConfig: packAny("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", proxy) }];
}
