import type { Labels, Pod } from "../api/kubernetes.ts";

/** Finds the pods that a selector selects without walking over all of them. */
export interface PodIndex {
  /** All labels must match; an empty selector selects every pod of the namespace. In the order of the pods given. */
  select(namespace: string, selector: Labels): readonly Pod[];
}

/** Indexed by namespace and by each label: a selector is checked only against the pods that have its rarest label. */
export function indexPods(pods: Iterable<Pod>): PodIndex {
  const buckets = new Map<string, Pod[]>();
  for (const pod of pods) {
    const { namespace, labels } = pod.metadata;
    addTo(buckets, namespace, pod);
    for (const [key, value] of Object.entries(labels)) addTo(buckets, labelKey(namespace, key, value), pod);
  }
  return {
    select(namespace, selector) {
      const wanted = Object.entries(selector);
      if (wanted.length === 0) return buckets.get(namespace) ?? [];
      const found = wanted.map(([key, value]) => buckets.get(labelKey(namespace, key, value)) ?? []);
      const rarest = found.reduce((least, bucket) => (bucket.length < least.length ? bucket : least));
      return rarest.filter((pod) => wanted.every(([key, value]) => pod.metadata.labels[key] === value));
    },
  };
}

function labelKey(namespace: string, key: string, value: string): string {
  return `${namespace}\u0000${key}\u0000${value}`;
}

function addTo<T>(buckets: Map<string, T[]>, key: string, item: T): void {
  const bucket = buckets.get(key);
  if (bucket === undefined) buckets.set(key, [item]);
  else bucket.push(item);
}
