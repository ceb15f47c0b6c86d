import type { EndpointSlice, Pod, Service, ServicePort } from "../api/kubernetes.ts";
import { sortedBy } from "../std/sort.ts";

/**
 * The EndpointSlices that Kubernetes' own controller would make: for each Service with a selector that has none of its
 * own, from the Pods of its namespace that have an address. One per address family and set of resolved ports (a named
 * target port may be another number in another pod).
 */
export function deriveEndpointSlices(services: Iterable<Service>, pods: readonly Pod[], slices: Iterable<EndpointSlice>): readonly EndpointSlice[] {
  const served = new Set([...slices].map(({ metadata, service }) => `${metadata.namespace}/${service}`));
  const podsByNamespace = Map.groupBy(
    pods.filter(({ ended }) => !ended),
    ({ metadata }) => metadata.namespace,
  );
  return [...services].flatMap((service) => {
    const { namespace, name } = service.metadata;
    if (service.selector === undefined || served.has(`${namespace}/${name}`)) return [];
    return deriveForService(service, service.selector, podsByNamespace.get(namespace) ?? []);
  });
}

type Family = "IPv4" | "IPv6";

function deriveForService(service: Service, selector: Service["selector"], pods: readonly Pod[]): readonly EndpointSlice[] {
  const selected = pods.filter(({ metadata }) => Object.entries(selector ?? {}).every(([key, value]) => metadata.labels[key] === value));
  return familiesOf(service, selected).flatMap((family) => {
    const members = selected.flatMap((pod) => {
      const address = pod.ips.find((ip) => familyOf(ip) === family);
      return address === undefined ? [] : [{ pod, address, ports: resolvePorts(service.ports, pod) }];
    });
    const groups = [...Map.groupBy(members, ({ ports }) => JSON.stringify(ports)).values()];
    return groups.map((group, index) => toSlice({ service, family, group, index }));
  });
}

interface Member {
  readonly pod: Pod;
  readonly address: string;
  readonly ports: EndpointSlice["ports"];
}

interface SliceOptions {
  readonly service: Service;
  readonly family: Family;
  readonly group: readonly Member[];
  readonly index: number;
}

function toSlice({ service, family, group, index }: SliceOptions): EndpointSlice {
  const { namespace, name } = service.metadata;
  const sliceName = `${name}-${family.toLowerCase()}-${index}`;
  return {
    kind: "EndpointSlice",
    metadata: { namespace, name: sliceName, uid: `derived-${namespace}-${sliceName}`, labels: {}, annotations: {}, creationTimestamp: "" },
    service: name,
    addressType: family,
    ports: group[0]?.ports ?? [],
    endpoints: sortedBy(group, ({ pod }) => pod.metadata.name).map(({ pod, address }) => ({
      address,
      ready: service.publishNotReadyAddresses || (pod.ready && !pod.terminating),
      serving: pod.ready,
      terminating: pod.terminating,
      pod: pod.metadata.name,
      zone: "",
    })),
  };
}

/** A port whose name the pod does not declare is left out, as Kubernetes does. */
function resolvePorts(ports: readonly ServicePort[], pod: Pod): EndpointSlice["ports"] {
  return ports.flatMap(({ name, targetPort, protocol }) => {
    const port = typeof targetPort === "number" ? targetPort : pod.ports.find((declared) => declared.name === targetPort && declared.protocol === protocol)?.port;
    return port === undefined ? [] : [{ name, port, protocol }];
  });
}

/** The families of its virtual addresses; without any, that of the pods' first address. */
function familiesOf(service: Service, pods: readonly Pod[]): readonly Family[] {
  const addresses = service.clusterIps.length > 0 ? service.clusterIps : pods.flatMap(({ ips: [first] }) => (first === undefined ? [] : [first])).slice(0, 1);
  return [...new Set(addresses.map(familyOf))];
}

function familyOf(address: string): Family {
  return address.includes(":") ? "IPv6" : "IPv4";
}
