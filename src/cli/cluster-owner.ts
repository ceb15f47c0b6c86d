import { Type } from "typebox";
import { checkSchema } from "../api/check-schema.ts";
import type { Owner } from "../controller/trust-bundles.ts";
import type { KubeClient } from "../k8s/client.ts";
import { Failure } from "./program.ts";

const ClusterRole = Type.Object({ metadata: Type.Object({ uid: Type.String({ minLength: 1 }) }) });

/**
 * The chart's ClusterRole `weft-controller`, which owns what the controller makes: uninstalling the chart takes that along.
 * @throws ApiError or Error of the client; Failure when the answer is no ClusterRole.
 */
export async function readOwner(client: KubeClient): Promise<Owner> {
  const name = "weft-controller";
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const role = checkSchema(ClusterRole, await client.request({ method: "GET", path: `/apis/${apiVersion}/clusterroles/${name}` }), "");
  if (!role.ok) throw new Failure(`ClusterRole ${name} cannot be read: ${role.faults.join("; ")}.`);
  return { apiVersion, kind: "ClusterRole", name, uid: role.value.metadata.uid };
}
