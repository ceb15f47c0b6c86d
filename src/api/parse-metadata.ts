import { Type, type Static } from "typebox";
import type { Labels, Meta } from "./kubernetes.ts";

/** Names become keys (`namespace/name`) and parts of Envoy's names, so they are held to Kubernetes' own rule. */
const objectName = Type.String({ pattern: "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", maxLength: 253 });
const labelMap = Type.Record(Type.String(), Type.String());

export const RawMetadata = Type.Object({
  name: objectName,
  namespace: Type.Optional(Type.String({ pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", maxLength: 63 })),
  uid: Type.Optional(Type.String()),
  labels: Type.Optional(labelMap),
  annotations: Type.Optional(labelMap),
  creationTimestamp: Type.Optional(Type.String()),
  deletionTimestamp: Type.Optional(Type.String()),
});
export type RawMetadata = Static<typeof RawMetadata>;

/** Trims metadata; an object without namespace is in `default`, a cluster-scoped one in none. */
export function trimMetadata(raw: RawMetadata, scope: "namespaced" | "cluster"): Meta {
  return {
    namespace: scope === "cluster" ? "" : (raw.namespace ?? "default"),
    name: raw.name,
    uid: raw.uid ?? "",
    labels: raw.labels ?? none,
    annotations: ownAnnotations(raw.annotations),
    creationTimestamp: raw.creationTimestamp ?? "",
  };
}

/** One object for all: most objects have none, and there are many. */
const none: Labels = Object.freeze({});

function ownAnnotations(annotations: Labels | undefined): Labels {
  if (annotations === undefined) return none;
  const own = Object.entries(annotations).filter(([key]) => key.startsWith("weft.mesh/"));
  return own.length === 0 ? none : Object.fromEntries(own);
}
