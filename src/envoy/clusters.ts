import type { ClusterJson, Cluster_TransportSocketMatchJson } from "../gen/envoy/config/cluster/v3/cluster_pb.d.ts";
import type { ClusterLoadAssignmentJson } from "../gen/envoy/config/endpoint/v3/endpoint_pb.d.ts";
import type { LbEndpointJson } from "../gen/envoy/config/endpoint/v3/endpoint_components_pb.d.ts";
import type { HttpProtocolOptionsJson } from "../gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.d.ts";
import type { Destination, Server } from "../ir/proxy-ir.ts";
import { formatStatName } from "../std/stat-name.ts";
import { meshAlpn, meshHttpAlpn } from "../std/well-known.ts";
import { tcpAddress } from "./address.ts";
import { clusterNames, rawClusterName } from "./names.ts";
import { packAny } from "./pack-any.ts";
import { clientTls, uriName } from "./tls.ts";

/** Told in an endpoint's metadata, and matched by its cluster: this one talks TLS of the mesh. */
const meshTls = { weft: "mtls" };

const most = 4_294_967_295;

/** The mesh limits nothing by itself, and speaks to a server what the client spoke. */
const unlimited = {
  connectTimeout: "10s",
  circuitBreakers: { thresholds: [{ maxConnections: most, maxPendingRequests: most, maxRequests: most, maxRetries: most }] },
  typedExtensionProtocolOptions: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": packAny("envoy.extensions.upstreams.http.v3.HttpProtocolOptions", {
      useDownstreamProtocolConfig: { httpProtocolOptions: {}, http2ProtocolOptions: {} },
    } satisfies HttpProtocolOptionsJson),
  },
} satisfies Partial<ClusterJson>;

/** The application's traffic to this pod, from an address of our own, so that it is not taken for the application's. */
export const inboundCluster: ClusterJson = {
  ...originalDestination(clusterNames.inbound),
  upstreamBindConfig: { sourceAddress: { address: "127.0.0.6", portValue: 0 } },
};

/** To where the application wanted. It must not bind: its packets leave the pod, and answers would not find back. */
export const passthroughCluster: ClusterJson = originalDestination(clusterNames.passthrough);

/** The name of a destination's cluster, endpoints and route. */
export function destinationName({ namespace, service, port }: Pick<Destination, "namespace" | "service" | "port">): string {
  return formatStatName({ direction: "outbound", namespace, service, port });
}

/**
 * One cluster; two where the protocol is detected, because the server's proxy, which sees TLS only, learns by ALPN what
 * the client's proxy found. They share endpoints and statistics.
 */
export function destinationClusters(destination: Destination): readonly ClusterJson[] {
  const name = destinationName(destination);
  const http = edsCluster(name, name, { ...destination, alpn: meshHttpAlpn });
  const raw = { ...destination, alpn: meshAlpn };
  if (destination.protocol === "tcp") return [edsCluster(name, name, raw)];
  return destination.protocol === "detect" ? [http, edsCluster(rawClusterName(name), name, raw)] : [http];
}

/** Where the destination's servers are; the one resource that changes when pods come and go. */
export function destinationEndpoints(destination: Destination): ClusterLoadAssignmentJson {
  const lbEndpoints = destination.servers.map(toEndpoint);
  return { clusterName: destinationName(destination), endpoints: lbEndpoints.length === 0 ? [] : [{ lbEndpoints }] };
}

function toEndpoint({ address, port, identity }: Server): LbEndpointJson {
  const endpoint = { endpoint: { address: tcpAddress(address, port) } };
  return identity === "" ? endpoint : { ...endpoint, metadata: { filterMetadata: { "envoy.transport_socket_match": meshTls } } };
}

interface Upstream {
  readonly identities: readonly string[];
  readonly alpn: string;
}

function edsCluster(name: string, endpoints: string, upstream: Upstream): ClusterJson {
  const tls = meshTlsMatch(upstream);
  return {
    name,
    ...(name !== endpoints && { altStatName: endpoints }),
    type: "EDS",
    edsClusterConfig: { edsConfig: { ads: {}, resourceApiVersion: "V3" }, serviceName: endpoints },
    ...unlimited,
    ...(tls.length > 0 && { transportSocketMatches: tls }),
  };
}

/**
 * Endpoints without the mark are talked to in plaintext. Without identities there is no match at all: an empty list of
 * accepted names would accept any certificate of the mesh.
 */
function meshTlsMatch({ identities, alpn }: Upstream): Cluster_TransportSocketMatchJson[] {
  if (identities.length === 0) return [];
  const serverNames = identities.map((identity) => uriName({ exact: identity }));
  return [{ name: "mtls", match: meshTls, transportSocket: clientTls({ serverNames, alpn: [alpn] }) }];
}

function originalDestination(name: string): ClusterJson {
  return { name, type: "ORIGINAL_DST", lbPolicy: "CLUSTER_PROVIDED", ...unlimited };
}
