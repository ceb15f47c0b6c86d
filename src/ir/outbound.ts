import { sortedBy } from "../std/sort.ts";
import { splitShares } from "../mesh/split-shares.ts";
import type { MeshService, MeshServicePort, MeshSnapshot } from "../mesh/snapshot.ts";
import type { Destination, OutboundIr, Share } from "./proxy-ir.ts";

/**
 * What every proxy of the mesh is told about where its application's traffic goes. A service without address (headless)
 * is dialled by its pods' addresses, which no destination stands for; it can still be a backend.
 */
export function buildOutbound(snapshot: MeshSnapshot): OutboundIr {
  const services = sortedBy(snapshot.services.values(), ({ key }) => key);
  return { destinations: services.flatMap((service) => service.ports.map((port) => toDestination(snapshot, service, port))) };
}

function toDestination(snapshot: MeshSnapshot, service: MeshService, port: MeshServicePort): Destination {
  const split = snapshot.splits.get(service.key);
  return {
    ...nameOf(service, port.number),
    protocol: port.protocol,
    addresses: service.addresses,
    shares: sharesOf(snapshot, service, port.number),
    ...(split !== undefined && { split: split.origin }),
    identities: service.identities,
    servers: port.endpoints.map(({ address, port: number, identity }) => ({ address, port: number, identity })),
  };
}

/** Without a split, the service itself takes all. A backend that is a root elsewhere stands for its own servers only. */
function sharesOf(snapshot: MeshSnapshot, service: MeshService, port: number): readonly Share[] {
  const split = snapshot.splits.get(service.key);
  if (split === undefined) return [{ ...nameOf(service, port), weight: 1 }];
  return splitShares(split, port, snapshot.services)
    .filter(({ weight }) => weight > 0)
    .map((share) => ({ ...nameOf(share.service, port), weight: share.weight }));
}

function nameOf(service: MeshService, port: number) {
  return { namespace: service.namespace, service: service.name, port };
}
