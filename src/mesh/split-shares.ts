import type { MeshService, ServiceKey, Split } from "./snapshot.ts";

export interface Share {
  readonly service: MeshService;
  readonly weight: number;
}

/**
 * Who takes part in a split on one port of its root: the backends that exist and have a TCP port of the same number
 * (their own targetPort stands behind it). Without weight for any of them there is nobody: the answer is 503.
 */
export function splitShares(split: Split, port: number, services: ReadonlyMap<ServiceKey, MeshService>): readonly Share[] {
  const shares = split.backends.flatMap(({ service: key, weight }) => {
    const service = services.get(key);
    return service?.ports.some(({ number }) => number === port) ? [{ service, weight }] : [];
  });
  return shares.some(({ weight }) => weight > 0) ? shares : [];
}
