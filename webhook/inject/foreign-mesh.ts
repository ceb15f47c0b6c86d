import type { PodView } from "./pod.ts";

interface ForeignMesh {
  readonly name: string;
  /** The container that tells. */
  readonly container: string;
}

/** `also` must be there as well: the name of the first is too common to tell a mesh. */
const meshes: readonly (ForeignMesh & { readonly also?: string })[] = [
  { name: "Istio", container: "istio-proxy" },
  { name: "Linkerd", container: "linkerd-proxy" },
  { name: "Kuma", container: "kuma-sidecar" },
  { name: "Consul", container: "consul-dataplane" },
  { name: "Open Service Mesh", container: "envoy", also: "osm-init" },
];

/** The mesh whose proxy the pod carries: two proxies that both redirect would loop. */
export function foreignMesh(pod: PodView): ForeignMesh | undefined {
  const names = new Set(pod.containers.map(({ name }) => name));
  return meshes.find(({ container, also }) => names.has(container) && (also === undefined || names.has(also)));
}
