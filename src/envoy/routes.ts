import type { RouteConfigurationJson } from "../gen/envoy/config/route/v3/route_pb.d.ts";
import type { RouteJson } from "../gen/envoy/config/route/v3/route_components_pb.d.ts";
import type { WeightedCluster } from "./tcp-proxy.ts";

/** Sends every request to one of `clusters`, by weight; the empty prefix matches `*` of OPTIONS too, which `/` would not. */
export function routeConfiguration(name: string, clusters: readonly WeightedCluster[]): RouteConfigurationJson {
  const route: RouteJson = { match: { prefix: "" }, ...action(clusters) };
  return { name, virtualHosts: [{ name, domains: ["*"], routes: [route] }] };
}

/** Timeout 0: the default of 15 s would cut what worked without a mesh. */
function action(clusters: readonly WeightedCluster[]): Pick<RouteJson, "route" | "directResponse"> {
  const [first] = clusters;
  if (first === undefined) return { directResponse: { status: 503, body: { inlineString: "weft: no backend of the split takes part\n" } } };
  const target = clusters.length === 1 ? { cluster: first.name } : { weightedClusters: { clusters: [...clusters] } };
  return { route: { ...target, timeout: "0s" } };
}
