import type { ResourceSet } from "../../src/std/resource-set.ts";
import { typeUrlOf } from "../../src/xds/encode.ts";

type Json = { readonly [key: string]: unknown };

/**
 * A ResourceSet as Envoy's file xDS: by file name, DiscoveryResponses in which ADS is replaced by paths. Endpoints and
 * routes have a file each, because a file subscription takes all that its file holds.
 */
export function toFileResources(resources: ResourceSet): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const type of ["endpoint", "route"] as const) {
    for (const [name, resource] of resources[type]) files.set(`${type}-${name}.json`, format(type, [resource]));
  }
  for (const type of ["cluster", "listener"] as const) files.set(`${type}.json`, format(type, [...resources[type].values()]));
  return files;
}

function format(type: keyof ResourceSet, resources: readonly object[]): string {
  return JSON.stringify({ resources: resources.map((resource) => ({ "@type": typeUrlOf(type), ...(withoutAds(resource) as Json) })) });
}

function withoutAds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutAds);
  if (typeof value !== "object" || value === null) return value;
  const { edsConfig, configSource, ...rest } = value as Json;
  const entries = Object.entries(rest).map(([key, child]) => [key, withoutAds(child)] as const);
  const own = Object.fromEntries(entries);
  if (edsConfig !== undefined) return { ...own, edsConfig: atPath(`./endpoint-${String(rest["serviceName"])}.json`) };
  return configSource === undefined ? own : { ...own, configSource: atPath(`./route-${String(rest["routeConfigName"])}.json`) };
}

function atPath(path: string) {
  return { resourceApiVersion: "V3", pathConfigSource: { path } };
}
