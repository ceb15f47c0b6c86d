import { labelMerger, type Labels } from "./labels.ts";
import type { Family } from "./metric-names.ts";

/** Prometheus text format 0.0.4. */
export const contentType = "text/plain; version=0.0.4; charset=utf-8";

export interface HistogramValue {
  /** One a bucket, not cumulative; the last is beyond the largest bound. */
  readonly counts: ArrayLike<number>;
  readonly sum: number;
}

export interface SeriesValue {
  readonly labels: Labels;
  readonly value: number | HistogramValue;
}

/** All series of one name. */
export interface FamilyValues {
  readonly family: Family;
  readonly series: readonly SeriesValue[];
}

/** The text of one family with constant labels on each series; series in the order given. */
export function formatFamily({ family, series }: FamilyValues, constant: Labels): string {
  const merge = labelMerger(constant);
  return formatHead(family.name, family.type, family.help) + series.map((one) => formatSeries(family, merge(one.labels), one.value)).join("");
}

/** The two comment lines of a family. */
export function formatHead(name: string, type: string, help: string): string {
  return `# HELP ${name} ${help.replace(/\\/g, "\\\\").replace(/\n/g, "\\n")}\n# TYPE ${name} ${type}\n`;
}

/** One sample: `name{labels} value`. */
export function formatSample(name: string, labels: Labels, value: string): string {
  return `${name}${braces(formatLabels(labels))} ${value}\n`;
}

/** `a="1",b="2"`, escaped. */
export function formatLabels(labels: Labels): string {
  return labels.map(([name, value]) => `${name}="${escapeValue(value)}"`).join(",");
}

/** `{…}`, or nothing. */
export function braces(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

/** A number as Prometheus reads it (JavaScript writes `Infinity`). */
export function formatNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}

function escapeValue(value: string): string {
  return /[\\"\n]/.test(value) ? value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n") : value;
}

function formatSeries(family: Family, labels: Labels, value: SeriesValue["value"]): string {
  const merged = formatLabels(labels);
  if (typeof value === "number") return `${family.name}${braces(merged)} ${formatNumber(value)}\n`;
  const before = merged === "" ? "" : `${merged},`;
  const bounds = [...family.buckets, Number.POSITIVE_INFINITY];
  let total = 0;
  const lines = bounds.map((bound, index) => {
    total += value.counts[index] ?? 0;
    return `${family.name}_bucket{${before}le="${formatNumber(bound)}"} ${total}\n`;
  });
  return `${lines.join("")}${family.name}_sum${braces(merged)} ${formatNumber(value.sum)}\n${family.name}_count${braces(merged)} ${total}\n`;
}
