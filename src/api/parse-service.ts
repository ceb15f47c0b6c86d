import { Type, type Static } from "typebox";
import type { EndpointSlice, Service, SliceEndpoint } from "./kubernetes.ts";
import { RawMetadata, trimMetadata } from "./parse-metadata.ts";

const portNumber = Type.Integer({ minimum: 1, maximum: 65535 });
const protocol = Type.Union([Type.Literal("TCP"), Type.Literal("UDP"), Type.Literal("SCTP")]);

/** What weft reads of a Service. */
export const RawService = Type.Object({
  metadata: RawMetadata,
  spec: Type.Object({
    type: Type.Optional(Type.String()),
    selector: Type.Optional(Type.Record(Type.String(), Type.String())),
    clusterIP: Type.Optional(Type.String()),
    clusterIPs: Type.Optional(Type.Array(Type.String())),
    externalName: Type.Optional(Type.String()),
    publishNotReadyAddresses: Type.Optional(Type.Boolean()),
    ports: Type.Optional(
      Type.Array(
        Type.Object({
          name: Type.Optional(Type.String()),
          port: portNumber,
          targetPort: Type.Optional(Type.Union([Type.Integer({ minimum: 0, maximum: 65535 }), Type.String()])),
          protocol: Type.Optional(protocol),
          appProtocol: Type.Optional(Type.String()),
        }),
      ),
    ),
  }),
});
export type RawService = Static<typeof RawService>;

export function trimService({ metadata, spec }: RawService): Service {
  const external = spec.type === "ExternalName";
  const addresses = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]);
  const selector = spec.selector ?? {};
  return {
    kind: "Service",
    metadata: trimMetadata(metadata, "namespaced"),
    // No endpoints are derived for an empty selector, nor for ExternalName, whatever its selector says.
    selector: external || Object.keys(selector).length === 0 ? undefined : selector,
    clusterIps: external ? [] : addresses.filter((address) => address !== "" && address !== "None"),
    headless: addresses.includes("None"),
    externalName: external ? (spec.externalName ?? "") : "",
    ports: (spec.ports ?? []).map(({ name = "", port, targetPort, protocol = "TCP", appProtocol = "" }) => ({
      name,
      port,
      targetPort: targetPort === undefined || targetPort === 0 || targetPort === "" ? port : targetPort,
      protocol,
      appProtocol,
    })),
    publishNotReadyAddresses: spec.publishNotReadyAddresses === true,
  };
}

/** What weft reads of an EndpointSlice (discovery.k8s.io/v1). */
export const RawEndpointSlice = Type.Object({
  metadata: RawMetadata,
  addressType: Type.Union([Type.Literal("IPv4"), Type.Literal("IPv6"), Type.Literal("FQDN")]),
  ports: Type.Optional(
    Type.Array(Type.Object({ name: Type.Optional(Type.String()), port: Type.Optional(portNumber), protocol: Type.Optional(Type.String()) })),
  ),
  endpoints: Type.Optional(
    Type.Array(
      Type.Object({
        addresses: Type.Array(Type.String()),
        conditions: Type.Optional(
          Type.Object({
            ready: Type.Optional(Type.Boolean()),
            serving: Type.Optional(Type.Boolean()),
            terminating: Type.Optional(Type.Boolean()),
          }),
        ),
        targetRef: Type.Optional(Type.Object({ kind: Type.Optional(Type.String()), name: Type.Optional(Type.String()) })),
        zone: Type.Optional(Type.String()),
      }),
    ),
  ),
});
export type RawEndpointSlice = Static<typeof RawEndpointSlice>;

export const serviceNameLabel = "kubernetes.io/service-name";

/** Absent conditions mean ready and serving; only the first address counts (the API's own rules). */
export function trimEndpointSlice({ metadata, addressType, ports = [], endpoints = [] }: RawEndpointSlice): EndpointSlice {
  return {
    kind: "EndpointSlice",
    metadata: trimMetadata(metadata, "namespaced"),
    service: metadata.labels?.[serviceNameLabel] ?? "",
    addressType,
    ports: ports.flatMap(({ name = "", port, protocol = "TCP" }) => (port === undefined ? [] : [{ name, port, protocol }])),
    endpoints: endpoints.flatMap(trimEndpoint),
  };
}

type RawEndpoint = NonNullable<RawEndpointSlice["endpoints"]>[number];

function trimEndpoint({ addresses: [address], conditions, targetRef, zone }: RawEndpoint): readonly SliceEndpoint[] {
  if (address === undefined) return [];
  const { ready = true, serving = ready, terminating = false } = conditions ?? {};
  return [{ address, ready, serving, terminating, pod: targetRef?.kind === "Pod" ? (targetRef.name ?? "") : "", zone: zone ?? "" }];
}
