import type { Problem } from "../std/problem.ts";
import type { Pod } from "../api/kubernetes.ts";
import type { Monitor } from "../api/smi/monitor.ts";
import type { TlsConfig } from "../api/smi/tls-config.ts";
import { refOf } from "./object-ref.ts";
import type { PodIndex } from "./pod-index.ts";

/** The pods of its namespace that a TLSConfig or a Monitor selects; an empty selector selects them all, and says so. */
export function selectPods(object: TlsConfig | Monitor, pods: PodIndex): { readonly pods: readonly Pod[]; readonly problems: readonly Problem[] } {
  const { namespace } = object.metadata;
  const labels = object.spec.selector.matchLabels ?? {};
  const found = pods.select(namespace, labels);
  if (Object.keys(labels).length > 0) return { pods: found, problems: [] };
  const sentence = `The selector is empty, so it selects every pod of the namespace ${namespace}; name the labels in spec.selector.matchLabels if only some are meant.`;
  return { pods: found, problems: [{ severity: "warning", code: "selector-empty", object: refOf(object), sentence }] };
}
