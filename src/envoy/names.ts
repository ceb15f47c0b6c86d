/**
 * Names of Envoy resources. Those that stand in statistics have only [A-Za-z0-9_-], as `formatStatName` makes them;
 * clusters, endpoints and routes of a service port share its name.
 */
import { formatStatName } from "../std/stat-name.ts";

/** Clusters that do not stand for a service port. */
export const clusterNames = {
  xds: "xds",
  statsd: "statsd",
  /** To wherever the application wanted, past the mesh. */
  passthrough: formatStatName({ direction: "passthrough" }),
  /** To the application of this pod. */
  inbound: "inbound",
} as const;

export const listenerNames = { outbound: "outbound", inbound: "inbound" } as const;

/** The stat prefix of inbound ports that no Service sends to. */
export const unknownInbound = "inbound_unknown";

/** The cluster of a port for traffic that turned out not to be HTTP: the same endpoints and statistics, another ALPN. */
export function rawClusterName(name: string): string {
  return `${name}_raw`;
}
