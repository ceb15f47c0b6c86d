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

/** The text of families with constant labels on each series, a series at a time: all of it at once would be a megabyte for a thousand series. */
export function* formatFamilies(all: Iterable<FamilyValues>, constant: Labels): Generator<string> {
  const merge = labelMerger(constant);
  for (const { family, series } of all) {
    yield formatHead(family.name, family.type, family.help);
    for (const { labels, value } of series) yield formatSeries(family, merge(labels), value);
  }
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
  const before = `${family.name}_bucket{${merged === "" ? "" : `${merged},`}le="`;
  let text = "";
  let total = 0;
  for (let index = 0; index <= family.buckets.length; index++) {
    total += value.counts[index] ?? 0;
    text += `${before}${formatNumber(family.buckets[index] ?? Number.POSITIVE_INFINITY)}"} ${total}\n`;
  }
  return `${text}${family.name}_sum${braces(merged)} ${formatNumber(value.sum)}\n${family.name}_count${braces(merged)} ${total}\n`;
}
