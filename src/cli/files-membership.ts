import type { MeshConfig } from "../api/mesh-config.ts";
import type { Pod } from "../api/kubernetes.ts";
import type { ObjectSource } from "../api/objects.ts";
import { containers } from "../std/well-known.ts";
import { decide } from "../../webhook/inject/decide.ts";
import { namespaceFacts } from "../../webhook/inject/facts.ts";
import { readPod } from "../../webhook/inject/pod.ts";

/**
 * Whether a Pod is in the mesh: it carries our proxy, or (on files, where `raw` is there) the webhook would give it one.
 * The answer is that of the source's state and of the configuration at the time of the call.
 */
export function createMembership(source: Pick<ObjectSource, "current">, config: () => MeshConfig): (pod: Pod) => { readonly inMesh: boolean } {
  return (pod) => {
    if (pod.containers.includes(containers.proxy)) return { inMesh: true };
    const view = readPod(pod.raw);
    if (view === undefined) return { inMesh: false };
    const name = pod.metadata.namespace;
    const { labels, annotations, resources } = namespaceFacts(source.current().objects, name);
    return { inMesh: decide({ pod: view, namespace: { name, labels, annotations }, resources, config: config() }).decision === "injected" };
  };
}
