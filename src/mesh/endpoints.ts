import { compareText } from "../std/sort.ts";
import type { EndpointSlice, Service, ServicePort, SliceEndpoint } from "../api/kubernetes.ts";
import { objectKey } from "../api/objects.ts";
import { isIpAddress } from "../std/ip-address.ts";
import type { MeshEndpoint, Workload, WorkloadKey } from "./snapshot.ts";

export interface Workloads {
  readonly byKey: ReadonlyMap<WorkloadKey, Pick<Workload, "key" | "inMesh" | "identity">>;
  /** Where a slice names no pod. */
  readonly byAddress: ReadonlyMap<string, WorkloadKey>;
}

/**
 * Where one Service port's traffic goes. As kube-proxy: the ready endpoints (all of them with publishNotReadyAddresses),
 * and only when there is none the terminating ones that still serve. Slices may repeat an endpoint while it moves between
 * them. Of a dual-stack Service, the slices of its first address' family: each pod is in both.
 */
export function collectEndpoints(service: Service, port: ServicePort, context: { readonly slices: readonly EndpointSlice[]; readonly workloads: Workloads }): readonly MeshEndpoint[] {
  const family = addressFamily(service, context.slices);
  const candidates = context.slices
    .filter((slice) => slice.addressType === family)
    .flatMap((slice) => slicePorts(slice, port).flatMap((number) => slice.endpoints.map((endpoint) => ({ slice, endpoint, number }))))
    .filter(({ endpoint }) => isIpAddress(endpoint.address));
  const usable = candidates.filter(({ endpoint }) => endpoint.ready || service.publishNotReadyAddresses);
  const chosen = usable.length > 0 ? usable : candidates.filter(({ endpoint }) => endpoint.serving && endpoint.terminating);
  const found = new Map<string, MeshEndpoint>();
  for (const { slice, endpoint, number } of chosen) {
    found.set(`${endpoint.address} ${number}`, { address: endpoint.address, port: number, ...peer(slice, endpoint, context.workloads) });
  }
  return [...found.values()].toSorted((a, b) => compareText(a.address, b.address) || a.port - b.port);
}

/** The pod behind an endpoint, by the slice's word, else by its address. */
export function endpointWorkload(slice: EndpointSlice, endpoint: SliceEndpoint, workloads: Workloads): WorkloadKey | undefined {
  const named = endpoint.pod === "" ? undefined : objectKey({ namespace: slice.metadata.namespace, name: endpoint.pod });
  if (named !== undefined && workloads.byKey.has(named)) return named;
  return workloads.byAddress.get(endpoint.address);
}

function peer(slice: EndpointSlice, endpoint: SliceEndpoint, workloads: Workloads): Pick<MeshEndpoint, "workload" | "identity"> {
  const workload = workloads.byKey.get(endpointWorkload(slice, endpoint, workloads) ?? "");
  return workload === undefined ? { workload: "", identity: "" } : { workload: workload.key, identity: workload.inMesh ? workload.identity : "" };
}

/** Slices name ports by the Service port's name and number them by the pods'. */
export function slicePorts(slice: EndpointSlice, port: ServicePort): readonly number[] {
  return slice.ports.filter(({ name, protocol }) => name === port.name && protocol === "TCP").map(({ port: number }) => number);
}

function addressFamily(service: Service, slices: readonly EndpointSlice[]): EndpointSlice["addressType"] {
  const [first] = service.clusterIps;
  if (first !== undefined) return first.includes(":") ? "IPv6" : "IPv4";
  return slices.some(({ addressType, endpoints }) => addressType === "IPv4" && endpoints.length > 0) ? "IPv4" : "IPv6";
}
