/** Envoy's resources of one proxy, as proto3-JSON: what `envoy/` builds and `xds/` serves. */

/** In the order in which Envoy wants them (make before break). */
export const resourceTypes = ["cluster", "endpoint", "listener", "route"] as const;
export type ResourceType = (typeof resourceTypes)[number];

/** By name; a resource that did not change should be the same object, so that its bytes are found without encoding. */
export type ResourceSet = { readonly [T in ResourceType]: ReadonlyMap<string, object> };
