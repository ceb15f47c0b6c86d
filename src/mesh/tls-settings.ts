import { sortedBy } from "../std/sort.ts";
import type { Problem } from "../std/problem.ts";
import type { MeshConfig } from "../api/mesh-config.ts";
import { objectKey, type MeshObjects } from "../api/objects.ts";
import type { TlsConfig } from "../api/smi/tls-config.ts";
import { refOf } from "./object-ref.ts";
import { selectPods } from "./select-pods.ts";
import type { PodIndex } from "./pod-index.ts";
import { checkSubjectNames } from "./subject-names.ts";
import type { TlsMode, WorkloadKey } from "./snapshot.ts";

/** What all TLSConfigs that select a pod say together. */
export interface TlsSettings {
  readonly mode: TlsMode;
  /** Sorted, each once. */
  readonly subjectNames: readonly string[];
}

interface Context {
  readonly objects: MeshObjects;
  readonly pods: PodIndex;
  readonly config: MeshConfig;
}

/** By workload; a pod that no TLSConfig selects is not in it. Names are joined and the strictest mode wins. */
export function collectTlsSettings(context: Context): { readonly settings: ReadonlyMap<WorkloadKey, TlsSettings>; readonly problems: readonly Problem[] } {
  const settings = new Map<WorkloadKey, TlsSettings>();
  const problems: Problem[] = [];
  for (const tls of sortedBy(context.objects.TLSConfig.values(), (object) => objectKey(object.metadata))) {
    const names = checkNames(tls, context);
    const selected = selectPods(tls, context.pods);
    problems.push(...names.problems, ...selected.problems);
    const own: TlsSettings = { mode: tls.spec.mode ?? context.config.tls.mode, subjectNames: names.allowed };
    for (const pod of selected.pods) {
      const key = objectKey(pod.metadata);
      settings.set(key, join(settings.get(key), own));
    }
  }
  return { settings, problems };
}

function join(known: TlsSettings | undefined, added: TlsSettings): TlsSettings {
  const mode = known?.mode === "strict" ? "strict" : added.mode;
  const names = new Set([...(known?.subjectNames ?? []), ...added.subjectNames]);
  return { mode, subjectNames: sortedBy(names, (name) => name) };
}

function checkNames(tls: TlsConfig, { objects, config }: Context): { readonly allowed: readonly string[]; readonly problems: readonly Problem[] } {
  const { allowed, refused } = checkSubjectNames(tls.spec.subjectNames ?? [], {
    namespace: tls.metadata.namespace,
    clusterDomain: config.clusterDomain,
    controlPlaneNamespace: config.controlPlane.namespace,
    namespaces: new Set(objects.Namespace.keys()),
  });
  const problems = refused.map(
    ({ sentence }): Problem => ({ severity: "error", code: "subject-name-refused", object: refOf(tls), sentence }),
  );
  return { allowed, problems };
}
