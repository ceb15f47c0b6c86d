import { compareText } from "../std/sort.ts";

/** Name and value, sorted by name, each name once and valid for Prometheus. */
export type Labels = readonly (readonly [name: string, value: string])[];

/** Structural for Prometheus: never a label that somebody chose. */
const structural: ReadonlySet<string> = new Set(["le", "quantile"]);

/**
 * A Prometheus label name: `app.kubernetes.io/name` → `app_kubernetes_io_name`. Names that begin with two underscores are
 * Prometheus's own, so one is left; `le` and `quantile` become `exported_le` and `exported_quantile`.
 */
export function labelName(text: string): string {
  const name = text.replace(/[^a-zA-Z0-9_]/g, "_").replace(/^_{2,}/, "_").replace(/^(?=[0-9]|$)/, "_");
  return structural.has(name) ? `exported_${name}` : name;
}

/**
 * Labels of any names and values, sanitised and sorted. Of two names that become one, the first keeps it and the next gets
 * `exported_` in front (in order of the names as they were, so that the outcome is stable), eight times at most: one more is
 * left out, or a pod with a thousand such labels would have megabytes of them. An empty value is no label.
 */
export function labelsOf(entries: Readonly<Record<string, string>>): Labels {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(entries).sort(([a], [b]) => compareText(a, b))) {
    if (value === "") continue;
    const name = freeName(labelName(key), found);
    if (name !== undefined) found.set(name, value);
  }
  return sorted(found);
}

const maxPrefixes = 8;

function freeName(wanted: string, taken: ReadonlyMap<string, string>): string | undefined {
  let name = wanted;
  for (let prefixes = 0; prefixes <= maxPrefixes; prefixes++) {
    if (!taken.has(name)) return name;
    name = `exported_${name}`;
  }
  return undefined;
}

/**
 * A series' own labels and constant ones together. The constant one wins, as a target's does in Prometheus (SMI wants
 * `metricLabels` on every series, and no application can forge `pod`); the series' own stays under `exported_NAME`.
 * Injective for given constants: different own labels never become one series, which would spoil the whole scrape.
 */
export function mergeLabels(own: Labels, constant: Labels): Labels {
  return labelMerger(constant)(own);
}

/** {@link mergeLabels} for many series. */
export function labelMerger(constant: Labels): (own: Labels) => Labels {
  if (constant.length === 0) return (own) => own;
  const depths = prefixDepths(constant);
  return (own) => {
    const merged = new Map(constant);
    for (const [name, value] of own) {
      const depth = structural.has(name) ? undefined : depths.get(base(name));
      merged.set(depth === undefined ? name : "exported_".repeat(depth) + name, value);
    }
    return sorted(merged);
  };
}

/** By base name: how many `exported_` put an own label past every constant one of that base. */
function prefixDepths(constant: Labels): ReadonlyMap<string, number> {
  const depths = new Map<string, number>();
  for (const [name] of constant) {
    const depth = (name.length - base(name).length) / "exported_".length + 1;
    depths.set(base(name), Math.max(depth, depths.get(base(name)) ?? 0));
  }
  return depths;
}

function base(name: string): string {
  return name.replace(/^(?:exported_)+(?=.)/, "");
}

function sorted(labels: ReadonlyMap<string, string>): Labels {
  return [...labels].sort(([a], [b]) => compareText(a, b));
}
