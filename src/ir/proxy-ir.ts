/** What one proxy must do, without Kubernetes words and without Envoy's. */
import type { Split, PortProtocol, SpiffeId, TlsMode, WorkloadKey } from "../mesh/snapshot.ts";

export interface ProxyIr {
  readonly key: WorkloadKey;
  /** The pod has an IPv6 address: it is called, and calls, by both families. */
  readonly ipv6: boolean;
  readonly inbound: InboundIr;
  /** One object for all proxies that are told the same. */
  readonly outbound: OutboundIr;
}

export interface InboundIr {
  /** `strict` refuses what is not mutual TLS of the mesh. */
  readonly tlsMode: TlsMode;
  /** What the identity of a client of the mesh starts with: `spiffe://weft.local/`. */
  readonly peerPrefix: string;
  /** Ports of the application of which something is known, sorted; any other one passes as bytes. */
  readonly ports: readonly InboundPort[];
}

export interface InboundPort {
  readonly number: number;
  readonly protocol: PortProtocol;
}

export interface OutboundIr {
  /** Sorted by namespace, service, port. What goes elsewhere passes as it is. */
  readonly destinations: readonly Destination[];
}

export interface DestinationName {
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
}

/** One port of one service: who answers at its addresses, and where its own servers are. */
export interface Destination extends DestinationName {
  readonly protocol: PortProtocol;
  /** Addresses at which applications call it; empty = it is reached only as another one's share. */
  readonly addresses: readonly string[];
  /** Who gets what is sent to the addresses, by positive weights with a sum ≤ 2³²−1; empty = nobody (503, or closed). */
  readonly shares: readonly Share[];
  /** The split that decided the shares. */
  readonly split?: Split["origin"];
  /** Whom a server that talks TLS may be, sorted. */
  readonly identities: readonly SpiffeId[];
  readonly servers: readonly Server[];
}

export interface Share extends DestinationName {
  readonly weight: number;
}

/** Where the port's own servers are; `identity` empty = plaintext. */
export interface Server {
  readonly address: string;
  readonly port: number;
  readonly identity: SpiffeId;
}
