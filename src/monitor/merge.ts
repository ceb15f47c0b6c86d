import { sortedBy } from "../std/sort.ts";
import type { RelabelledFamily } from "./exposition-parser.ts";
import { formatHead, formatSample } from "./exposition.ts";
import type { Labels } from "./labels.ts";
import { families as known } from "./metric-table.ts";

/** What came of asking one pod. */
export interface PodAnswer {
  readonly labels: Labels;
  /** undefined: it did not answer, or not in Prometheus's format. */
  readonly families: readonly RelabelledFamily[] | undefined;
}

interface MergedFamily {
  readonly type: string;
  readonly help: string;
  readonly samples: string[];
}

const up = "weft_scrape_up";
const dropped = "weft_scrape_families_dropped";

/**
 * One text of many pods', in pieces: each family once, with one HELP and TYPE (of the first pod that has it), sorted by
 * name; then how the pods answered. Two pods cannot give the same series as long as their labels differ.
 */
export function* mergeAnswers(answers: readonly PodAnswer[]): Generator<string> {
  const { merged, conflicts } = collect(answers);
  for (const [name, { type, help, samples }] of sortedBy(merged, ([key]) => key)) {
    yield formatHead(name, type, help);
    yield* samples;
  }
  yield formatHead(dropped, "gauge", "Metrics of the pod left out because another pod has one of that name and another type.");
  for (const [index, { labels }] of answers.entries()) yield formatSample(dropped, labels, String(conflicts[index] ?? 0));
  yield formatHead(up, "gauge", "1 when the pod's metrics were read, 0 when it did not answer or not in Prometheus's format.");
  for (const { labels, families } of answers) yield formatSample(up, labels, families === undefined ? "0" : "1");
}

function collect(answers: readonly PodAnswer[]): { merged: Map<string, MergedFamily>; conflicts: number[] } {
  const merged = new Map<string, MergedFamily>();
  const conflicts = answers.map(({ families = [] }) => {
    const taken = families.map((family) => take(merged, family));
    return taken.filter((outcome) => outcome === "conflict").length;
  });
  return { merged, conflicts };
}

function take(merged: Map<string, MergedFamily>, family: RelabelledFamily): "taken" | "conflict" {
  if (!isItsToUse(family)) return "conflict";
  const earlier = merged.get(family.name);
  if (earlier === undefined) merged.set(family.name, { type: family.type, help: family.help, samples: [family.samples] });
  else if (earlier.type === family.type) earlier.samples.push(family.samples);
  else return "conflict";
  return "taken";
}

const ours: ReadonlyMap<string, { readonly type: string }> = new Map(Object.entries(known));

/** Not the names of this module's families, nor one of weft's under another type: the other pods' would be left out. */
function isItsToUse({ name, type }: RelabelledFamily): boolean {
  return !name.startsWith("weft_scrape_") && (ours.get(name)?.type ?? type) === type;
}
