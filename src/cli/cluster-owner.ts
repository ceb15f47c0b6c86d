import { Type } from "typebox";
import { checkSchema } from "../api/check-schema.ts";
import type { OwnerReference } from "../api/kubernetes.ts";
import { ApiError, type KubeClient } from "../k8s/client.ts";
import { Failure } from "./program.ts";

const ClusterRole = Type.Object({ metadata: Type.Object({ uid: Type.String({ minLength: 1 }) }) });

/**
 * The chart's ClusterRole `weft-controller`, which owns what is made at run time: uninstalling the chart takes that along.
 * undefined = there is none, so nobody owns it.
 * @throws ApiError or Error of the client; Failure when the answer is no ClusterRole.
 */
export async function findOwner(client: KubeClient): Promise<OwnerReference | undefined> {
  const name = "weft-controller";
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const answer = await client.request({ method: "GET", path: `/apis/${apiVersion}/clusterroles/${name}` }).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  });
  if (answer === undefined) return undefined;
  const role = checkSchema(ClusterRole, answer, "");
  if (!role.ok) throw new Failure(`ClusterRole ${name} cannot be read: ${role.faults.join("; ")}.`);
  return { apiVersion, kind: "ClusterRole", name, uid: role.value.metadata.uid };
}
