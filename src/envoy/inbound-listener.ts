import type { ListenerJson } from "../gen/envoy/config/listener/v3/listener_pb.d.ts";
import type { FilterChainJson, FilterChainMatchJson, FilterJson } from "../gen/envoy/config/listener/v3/listener_components_pb.d.ts";
import type { InboundIr, InboundPort } from "../ir/proxy-ir.ts";
import { formatStatName } from "../std/stat-name.ts";
import { meshAlpn, meshHttpAlpn, ports } from "../std/well-known.ts";
import { tcpAddress } from "./address.ts";
import { httpManager } from "./http-manager.ts";
import { httpInspectors, httpProtocols, originalDestinationFilter, tlsInspector } from "./listener-filters.ts";
import { clusterNames, listenerNames, unknownInbound } from "./names.ts";
import { selfChain } from "./outbound-listener.ts";
import { routeConfiguration } from "./routes.ts";
import { tcpFilters } from "./tcp-proxy.ts";
import { serverTls, uriName } from "./tls.ts";

/**
 * Where connections to this pod arrive, redirected. Mesh TLS is told by its ALPN protocols and passed on decrypted;
 * permissive passes everything else as it is, strict has no filter chain for it, so it is closed.
 */
export function inboundListener(inbound: InboundIr): ListenerJson {
  const permissive = inbound.tlsMode === "permissive";
  const detected = inbound.ports.filter(({ protocol }) => protocol === "detect").map(({ number }) => number);
  const chains = [...inbound.ports.flatMap(knownPort), ...unknownPort].filter((chain) => permissive || chain.mesh);
  return {
    name: listenerNames.inbound,
    address: tcpAddress("0.0.0.0", ports.inbound),
    statPrefix: listenerNames.inbound,
    trafficDirection: "INBOUND",
    listenerFilters: [originalDestinationFilter, tlsInspector, ...(permissive ? httpInspectors(detected) : [])],
    // Permissive: a client that has not spoken by then waits for a server that speaks first, in plaintext.
    listenerFiltersTimeout: permissive ? "2s" : "10s",
    continueOnListenerFiltersTimeout: permissive,
    filterChains: [selfChain(ports.inbound), ...chains.map((chain) => toFilterChain(chain, inbound))],
  };
}

interface Chain {
  readonly name: string;
  /** Inside mutual TLS of the mesh. */
  readonly mesh: boolean;
  readonly match: FilterChainMatchJson;
  readonly filters: FilterJson[];
}

const anyMeshAlpn = [meshAlpn, meshHttpAlpn];

/**
 * Envoy takes the chain with the most exact match, port first, then the transport protocol, and does not come back to a
 * less exact one: beside a chain for one kind of plaintext or TLS there must be one for all of the others.
 */
function knownPort({ number, protocol }: InboundPort): readonly Chain[] {
  const name = formatStatName({ direction: "inbound", port: number });
  const raw = tcpFilters(name, [{ name: clusterNames.inbound, weight: 1 }]);
  const at = { destinationPort: number };
  if (protocol === "tcp") return [mesh(name, { ...at, applicationProtocols: anyMeshAlpn }, raw), ...anyPlain(name, at, raw)];
  const http = [httpInbound(name)];
  if (protocol === "detect") {
    return [
      mesh(`${name}_http`, { ...at, applicationProtocols: [meshHttpAlpn] }, http),
      mesh(name, { ...at, applicationProtocols: [meshAlpn] }, raw),
      plain(`${name}_plain_http`, { ...at, transportProtocol: "raw_buffer", applicationProtocols: httpProtocols }, http),
      ...anyPlain(name, at, raw),
    ];
  }
  return [
    mesh(name, { ...at, applicationProtocols: anyMeshAlpn }, http),
    plain(`${name}_plain`, { ...at, transportProtocol: "raw_buffer" }, http),
    ownTls(name, at, raw),
  ];
}

const unknownFilters = tcpFilters(unknownInbound, [{ name: clusterNames.inbound, weight: 1 }]);

const unknownPort: readonly Chain[] = [
  mesh(unknownInbound, { applicationProtocols: anyMeshAlpn }, unknownFilters),
  ...anyPlain(unknownInbound, {}, unknownFilters),
];

function mesh(name: string, match: FilterChainMatchJson, filters: FilterJson[]): Chain {
  return { name, mesh: true, match: { ...match, transportProtocol: "tls" }, filters };
}

function plain(name: string, match: FilterChainMatchJson, filters: FilterJson[]): Chain {
  return { name, mesh: false, match, filters };
}

function anyPlain(name: string, at: FilterChainMatchJson, filters: FilterJson[]): readonly Chain[] {
  return [plain(`${name}_plain`, { ...at, transportProtocol: "raw_buffer" }, filters), ownTls(name, at, filters)];
}

/** The application's own TLS, which only it can read. */
function ownTls(name: string, at: FilterChainMatchJson, raw: FilterJson[]): Chain {
  return plain(`${name}_tls`, { ...at, transportProtocol: "tls" }, raw);
}

function toFilterChain(chain: Chain, { peerPrefix }: InboundIr): FilterChainJson {
  const tls = chain.mesh ? { transportSocket: serverTls([uriName({ prefix: peerPrefix })]) } : {};
  return { name: chain.name, filterChainMatch: chain.match, ...tls, filters: chain.filters };
}

/** A client's own claim about its certificate (XFCC) is never passed on. */
function httpInbound(name: string): FilterJson {
  return httpManager({
    statPrefix: name,
    routeConfig: routeConfiguration(name, [{ name: clusterNames.inbound, weight: 1 }]),
    forwardClientCertDetails: "SANITIZE",
  });
}
