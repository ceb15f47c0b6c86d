import type { ServiceKey } from "./snapshot.ts";

export interface NameScope {
  /** Of the object that names the Service. */
  readonly namespace: string;
  readonly clusterDomain: string;
}

/**
 * The Service that a split names as its users do: `web`, `web.shop`, `web.shop.svc`, `web.shop.svc.cluster.local`, each also
 * with a trailing dot. undefined = not a Service of the own namespace (TrafficSplit knows no other).
 */
export function resolveServiceName(text: string, scope: NameScope): ServiceKey | undefined {
  const name = text.endsWith(".") ? text.slice(0, -1) : text;
  const dot = name.indexOf(".");
  if (dot < 0) return `${scope.namespace}/${name}`;
  const suffixes = [scope.namespace, `${scope.namespace}.svc`, `${scope.namespace}.svc.${scope.clusterDomain}`];
  return suffixes.includes(name.slice(dot + 1)) ? `${scope.namespace}/${name.slice(0, dot)}` : undefined;
}
