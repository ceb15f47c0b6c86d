import { sortedBy } from "../std/sort.ts";
import type { Problem } from "../std/problem.ts";
import type { EndpointSlice, Pod, Service } from "../api/kubernetes.ts";
import { objectKey, type MeshObjects } from "../api/objects.ts";
import { collectEndpoints, endpointWorkload, slicePorts, type Workloads } from "./endpoints.ts";
import { isIpAddress } from "../std/ip-address.ts";
import { refOf } from "./object-ref.ts";
import type { PodIndex } from "./pod-index.ts";
import { addPort, podPort, protocolOf, tcpPorts } from "./service-ports.ts";
import type { MeshService, MeshServicePort, PortProtocol, ServiceKey, WorkloadKey } from "./snapshot.ts";

export interface Services {
  readonly services: ReadonlyMap<ServiceKey, MeshService>;
  /** Pod ports that Services send TCP to, by workload. */
  readonly ports: ReadonlyMap<WorkloadKey, ReadonlyMap<number, PortProtocol>>;
  readonly problems: readonly Problem[];
}

export interface ServiceContext {
  readonly objects: MeshObjects;
  readonly pods: PodIndex;
  readonly workloads: Workloads;
}

/** Every Service with what stands behind it, in the mesh or not, and what its pods are sent. */
export function collectServices(context: ServiceContext): Services {
  const services = new Map<ServiceKey, MeshService>();
  const ports = new Map<WorkloadKey, Map<number, PortProtocol>>();
  const problems: Problem[] = [];
  const taken = new Map<string, ServiceKey>();
  const slices = slicesByService(context.objects);
  for (const service of sortedBy(context.objects.Service.values(), (object) => objectKey(object.metadata))) {
    const scope = { service, context, slices: slices.get(objectKey(service.metadata)) ?? [] };
    const checked = checkAddresses(service, taken);
    problems.push(...checked.problems);
    services.set(objectKey(service.metadata), toMeshService(scope, checked.addresses));
    for (const { workload, number, protocol } of targets(scope)) {
      const known = ports.get(workload) ?? new Map<number, PortProtocol>();
      addPort(known, number, protocol);
      ports.set(workload, known);
    }
  }
  return { services, ports, problems };
}

interface ServiceScope {
  readonly service: Service;
  readonly context: ServiceContext;
  readonly slices: readonly EndpointSlice[];
}

function toMeshService({ service, context, slices }: ServiceScope, addresses: readonly string[]): MeshService {
  const ports = tcpPorts(service).map(
    (port): MeshServicePort => ({
      number: port.port,
      name: port.name,
      protocol: protocolOf(port),
      endpoints: collectEndpoints(service, port, { slices, workloads: context.workloads }),
    }),
  );
  const { namespace, name } = service.metadata;
  return { key: objectKey(service.metadata), namespace, name, addresses, ports, identities: identitiesOf({ service, context, slices }) };
}

/**
 * Of every pod that is or may become an endpoint. A pod that starts adds no identity when it becomes ready: what clients
 * verify is known to them before its address is.
 */
function identitiesOf(scope: ServiceScope): readonly string[] {
  const { byKey } = scope.context.workloads;
  const keys = [...selectedPods(scope).map((pod) => objectKey(pod.metadata)), ...slicedWorkloads(scope)];
  const members = keys.flatMap((key) => byKey.get(key) ?? []).filter((workload) => workload.inMesh);
  return sortedBy(new Set(members.map((workload) => workload.identity)), (identity) => identity);
}

interface Target {
  readonly workload: WorkloadKey;
  readonly number: number;
  readonly protocol: PortProtocol;
}

/** By selector and by slices: a pod is told what it will be sent before it is ready to be an endpoint. */
function targets(scope: ServiceScope): readonly Target[] {
  const { workloads } = scope.context;
  return tcpPorts(scope.service).flatMap((port) => {
    const protocol = protocolOf(port);
    const selected = selectedPods(scope).flatMap((pod) => {
      const number = podPort(port, pod);
      return number === undefined ? [] : [{ workload: objectKey(pod.metadata), number, protocol }];
    });
    const sliced = scope.slices.flatMap((slice) =>
      slicePorts(slice, port).flatMap((number) =>
        slice.endpoints.flatMap((endpoint) => {
          const workload = endpointWorkload(slice, endpoint, workloads);
          return workload === undefined ? [] : [{ workload, number, protocol }];
        }),
      ),
    );
    return [...selected, ...sliced];
  });
}

/** A Service without selector, or with an empty one, has its endpoints from elsewhere. */
function selectedPods({ service, context }: ServiceScope): readonly Pod[] {
  if (service.selector === undefined || Object.keys(service.selector).length === 0) return [];
  return context.pods.select(service.metadata.namespace, service.selector);
}

function slicedWorkloads({ slices, context }: ServiceScope): readonly WorkloadKey[] {
  return slices.flatMap((slice) => slice.endpoints.flatMap((endpoint) => endpointWorkload(slice, endpoint, context.workloads) ?? []));
}

function slicesByService(objects: MeshObjects): ReadonlyMap<ServiceKey, readonly EndpointSlice[]> {
  const found = new Map<ServiceKey, EndpointSlice[]>();
  for (const slice of sortedBy(objects.EndpointSlice.values(), (object) => objectKey(object.metadata))) {
    const key = objectKey({ namespace: slice.metadata.namespace, name: slice.service });
    found.set(key, [...(found.get(key) ?? []), slice]);
  }
  return found;
}

interface CheckedAddresses {
  readonly addresses: readonly string[];
  readonly problems: readonly Problem[];
}

/** An address that Envoy cannot read, or two equal ones, would make it refuse the listener with everything in it. */
function checkAddresses(service: Service, taken: Map<string, ServiceKey>): CheckedAddresses {
  const addresses: string[] = [];
  const problems: Problem[] = [];
  const object = refOf(service);
  for (const address of service.headless ? [] : new Set(service.clusterIps)) {
    const claims = tcpPorts(service).map(({ port }) => `${address} ${port}`);
    const owner = claims.map((claim) => taken.get(claim)).find((key) => key !== undefined);
    if (!isIpAddress(address)) {
      const sentence = `${JSON.stringify(address)} in spec.clusterIPs is no IP address and is left out; correct it.`;
      problems.push({ severity: "error", code: "address-invalid", object, sentence });
    } else if (owner !== undefined) {
      const sentence = `${address} is, with the same port, the address of Service ${owner} too, which keeps it; give each Service its own spec.clusterIP.`;
      problems.push({ severity: "error", code: "address-taken", object, sentence });
    } else {
      addresses.push(address);
      for (const claim of claims) taken.set(claim, objectKey(service.metadata));
    }
  }
  return { addresses, problems };
}
