import { Type, type Static } from "typebox";
import type { ContainerPort, Pod } from "./kubernetes.ts";
import { RawMetadata, trimMetadata } from "./parse-metadata.ts";

const protocol = Type.Union([Type.Literal("TCP"), Type.Literal("UDP"), Type.Literal("SCTP")]);

const RawContainer = Type.Object({
  name: Type.String(),
  restartPolicy: Type.Optional(Type.String()),
  ports: Type.Optional(
    Type.Array(
      Type.Object({ name: Type.Optional(Type.String()), containerPort: Type.Integer({ minimum: 1, maximum: 65535 }), protocol: Type.Optional(protocol) }),
    ),
  ),
});
type RawContainer = Static<typeof RawContainer>;

/** What weft reads of a Pod; everything else is passed over. */
export const RawPod = Type.Object({
  metadata: RawMetadata,
  spec: Type.Object({
    serviceAccountName: Type.Optional(Type.String()),
    serviceAccount: Type.Optional(Type.String()),
    hostNetwork: Type.Optional(Type.Boolean()),
    initContainers: Type.Optional(Type.Array(RawContainer)),
    containers: Type.Array(RawContainer),
  }),
  status: Type.Optional(
    Type.Object({
      phase: Type.Optional(Type.String()),
      podIP: Type.Optional(Type.String()),
      podIPs: Type.Optional(Type.Array(Type.Object({ ip: Type.Optional(Type.String()) }))),
      conditions: Type.Optional(Type.Array(Type.Object({ type: Type.String(), status: Type.String() }))),
    }),
  ),
});
export type RawPod = Static<typeof RawPod>;

export function trimPod({ metadata, spec, status = {} }: RawPod): Pod {
  const initContainers = spec.initContainers ?? [];
  const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === "Always");
  return {
    kind: "Pod",
    metadata: trimMetadata(metadata, "namespaced"),
    // serviceAccount is the deprecated spelling, which the API server keeps in step.
    serviceAccount: spec.serviceAccountName || spec.serviceAccount || "default",
    hostNetwork: spec.hostNetwork === true,
    containers: [...initContainers, ...spec.containers].map(({ name }) => name),
    ports: [...sidecars, ...spec.containers].flatMap(readPorts),
    ips: readAddresses(status),
    ready: (status.conditions ?? []).some(({ type, status }) => type === "Ready" && status === "True"),
    ended: status.phase === "Succeeded" || status.phase === "Failed",
    terminating: metadata.deletionTimestamp !== undefined,
  };
}

function readPorts({ ports = [] }: RawContainer): readonly ContainerPort[] {
  return ports.map(({ name = "", containerPort, protocol = "TCP" }) => ({ name, port: containerPort, protocol }));
}

function readAddresses({ podIP, podIPs = [] }: NonNullable<RawPod["status"]>): readonly string[] {
  const all = podIPs.map(({ ip }) => ip ?? "").filter((ip) => ip !== "");
  return all.length > 0 || podIP === undefined || podIP === "" ? all : [podIP];
}
