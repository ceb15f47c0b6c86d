import { compareText } from "../std/sort.ts";

/** Whose certificate it is, and the names that are not for workloads. */
export interface SubjectScope {
  readonly namespace: string;
  /** `cluster.local` */
  readonly clusterDomain: string;
  readonly controlPlaneNamespace: string;
  /** Namespaces that exist, if known: `web.other` is then told from a name of the world such as `example.com`. */
  readonly namespaces?: ReadonlySet<string>;
}

export interface SubjectNames {
  /** Lower case, sorted, each once. */
  readonly allowed: string[];
  /** As written, in order; the sentence says why and what to do. */
  readonly refused: { readonly name: string; readonly sentence: string }[];
}

/**
 * Which subject names of a TLSConfig may stand in certificates of its namespace: valid DNS names without wildcards, none
 * that the control plane or the API server answers to, and inside the cluster only those of the own namespace, in every
 * form that a resolver accepts (`web`, `web.shop`, `web.shop.svc`, `web.shop.svc.cluster.local`). Otherwise a namespace
 * could have certificates for the services of another, or for the CA itself: workload and control plane share the root.
 */
export function checkSubjectNames(names: readonly string[], scope: SubjectScope): SubjectNames {
  const allowed = new Set<string>();
  const refused: { name: string; sentence: string }[] = [];
  for (const name of names) {
    const sentence = objection(name.toLowerCase(), scope);
    if (sentence === undefined) allowed.add(name.toLowerCase());
    else refused.push({ name, sentence: `Subject name ${JSON.stringify(name)} ${sentence}` });
  }
  return { allowed: [...allowed].sort(compareText), refused };
}

function objection(name: string, scope: SubjectScope): string | undefined {
  if (name.includes("*")) return "has a wildcard, and a certificate of weft carries none; list the names one by one.";
  if (!isDnsName(name)) return "is not a DNS name; use labels of letters, digits and hyphens, separated by dots, at most 253 characters in all.";
  const place = placeOf(name, scope);
  switch (place.kind) {
    case "world":
      return undefined;
    case "not-a-service":
      return `is under the cluster domain ${scope.clusterDomain} but not the name of a service; use SERVICE.${scope.namespace}.svc.${scope.clusterDomain}.`;
    case "service":
      return serviceObjection(place, scope);
  }
}

function serviceObjection(place: { readonly service: string; readonly namespace: string }, scope: SubjectScope): string | undefined {
  if (place.namespace === "default" && place.service === "kubernetes") return "is a name of the Kubernetes API server; remove it.";
  if (place.namespace === scope.controlPlaneNamespace) return "is a name of weft's control plane; remove it.";
  if (place.namespace === scope.namespace) return undefined;
  return `belongs to the namespace ${JSON.stringify(place.namespace)}; inside the cluster only names of ${scope.namespace} are allowed.`;
}

/** A name's place: a service of a namespace, elsewhere in the cluster domain, or out in the world. */
type Place = { readonly kind: "world" } | { readonly kind: "not-a-service" } | { readonly kind: "service"; readonly service: string; readonly namespace: string };

function placeOf(name: string, scope: SubjectScope): Place {
  if (name === "localhost" || name.endsWith(".localhost")) return service("localhost", scope.controlPlaneNamespace);
  if (!name.includes(".")) return placeOfLabel(name, scope);
  const domain = scope.clusterDomain.toLowerCase();
  if (name === domain) return { kind: "not-a-service" };
  return name.endsWith(`.${domain}`) ? placeOfFullName(name.slice(0, -domain.length - 1)) : placeOfShortName(name, scope);
}

/** `web.shop.svc`, of `web.shop.svc.cluster.local`. */
function placeOfFullName(name: string): Place {
  return placeOfTypedName(name) ?? { kind: "not-a-service" };
}

function placeOfShortName(name: string, scope: SubjectScope): Place {
  const typed = placeOfTypedName(name);
  if (typed !== undefined) return typed;
  const [namespace = "", owner = ""] = name.split(".").reverse();
  return isNamespace(namespace, scope) ? service(owner, namespace) : { kind: "world" };
}

/** `web.shop.svc` and `10-0-0-1.shop.pod`; undefined without such a last label. */
function placeOfTypedName(name: string): Place | undefined {
  const [type, namespace, owner] = name.split(".").reverse();
  if (type !== "svc" && type !== "pod") return undefined;
  return namespace === undefined || owner === undefined ? { kind: "not-a-service" } : service(owner, namespace);
}

/** One label is a service of whoever resolves it; those of the API server and ours are theirs, wherever they are used. */
function placeOfLabel(label: string, scope: SubjectScope): Place {
  if (label === "kubernetes") return service(label, "default");
  if (label === "weft" || label.startsWith("weft-")) return service(label, scope.controlPlaneNamespace);
  return service(label, scope.namespace);
}

function service(name: string, namespace: string): Place {
  return { kind: "service", service: name, namespace };
}

/** These exist in every cluster with weft, known or not. */
function isNamespace(label: string, scope: SubjectScope): boolean {
  const always = [scope.namespace, scope.controlPlaneNamespace, "default", "kube-system", "kube-public", "kube-node-lease"];
  return always.includes(label) || (scope.namespaces?.has(label) ?? false);
}

/** RFC 1123 with the limits of RFC 1035; a last label of digits only would read as an IP address. */
function isDnsName(name: string): boolean {
  const labels = name.split(".");
  return name.length <= 253 && labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)) && !/^[0-9]+$/.test(labels.at(-1) ?? "");
}
