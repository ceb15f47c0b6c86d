import type { ObjectRef } from "../std/problem.ts";
import type { MeshObject } from "../api/objects.ts";

/** How a Problem names `object`. */
export function refOf(object: MeshObject): ObjectRef {
  return { kind: object.kind, namespace: object.metadata.namespace, name: object.metadata.name };
}
