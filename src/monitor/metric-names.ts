import { parseStatName, type StatName } from "../std/stat-name.ts";
import type { DropReason } from "./drop-reasons.ts";
import { labelsOf, type Labels } from "./labels.ts";
import { envoyRows, families, type FamilyName } from "./metric-table.ts";
import { maxIdentityLength, type StatsdType } from "./statsd.ts";

export type MetricType = "counter" | "gauge" | "histogram";

/** What all series of one name share. */
export interface Family {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  /** Upper bounds, ascending, without +Inf; empty unless a histogram. */
  readonly buckets: readonly number[];
}

/** The series that a line is about. */
export interface Metric {
  readonly family: Family;
  readonly labels: Labels;
  /** From the line's unit to the metric's: 1000 for milliseconds to seconds (a product with 0.001 would round off bucket bounds). */
  readonly divisor: number;
}

/** A line's identity as text; `tags` is what stands after `#`. */
export interface LineIdentity {
  readonly name: string;
  readonly type: StatsdType;
  readonly tags: string;
}

/** The prefix of Envoy's statsd sink (`envoy` is its default). */
const envoyPrefix = "envoy.";

/** The stat prefix of inbound ports that no Service sends to (`src/envoy/names.ts`; a test keeps the two equal). */
const unknownInbound = "inbound_unknown";

interface UnknownInbound {
  readonly direction: "inbound";
  readonly port: undefined;
}

/** Unit unknown: 1 and 5 of each decade from 0.001 to 1,000,000. */
const plainBuckets = [-3, -2, -1, 0, 1, 2, 3, 4, 5].flatMap((power) => [Number(`1e${power}`), Number(`5e${power}`)]).concat(1e6);

/** Which metric a line belongs to, or why to none. Envoy's lines by the table, every other as an application's. */
export function metricOf(line: LineIdentity): Metric | DropReason {
  return line.name.startsWith(envoyPrefix) ? envoyMetric(line.name.slice(envoyPrefix.length), line.type) : applicationMetric(line);
}

/** `http.inbound_8080.downstream_rq_2xx` and its like; the sink's tags, if any, are not used. */
function envoyMetric(name: string, type: StatsdType): Metric | DropReason {
  const { key, labels } = describe(name);
  const row = envoyRows.get(key);
  if (row === undefined) return "unmapped";
  if (row.statsd !== type) return "type_conflict";
  return { family: knownFamily(row.metric), labels: labelsOf(labels), divisor: row.divisor };
}

interface Description {
  /** A key of the table: `cluster.outbound.upstream_rq_CODE`. */
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
}

function describe(name: string): Description {
  const [scope = "", prefix = "", ...rest] = name.split(".");
  const statName = prefix === unknownInbound ? ({ direction: "inbound", port: undefined } as const) : parseStatName(prefix);
  if (statName === undefined) return { key: name, labels: {} };
  const stat = describeStat(rest.join("."));
  return { key: `${scope}.${statName.direction}.${stat.key}`, labels: { ...stat.labels, ...statNameLabels(statName) } };
}

/** Response codes stand at the end of a statistic's name. */
function describeStat(stat: string): Description {
  const match = /^(downstream_rq|upstream_rq)_(?:([1-5]xx)|([1-5])[0-9]{2})$/.exec(stat);
  if (match === null) return { key: stat, labels: {} };
  const [, before = "", className, hundred = ""] = match;
  if (className !== undefined) return { key: `${before}_CLASS`, labels: { code_class: className } };
  return { key: `${before}_CODE`, labels: { code: stat.slice(-3), code_class: `${hundred}xx` } };
}

/** `namespace` alone is the namespace of the pod that measured (Prometheus and the metrics server add it). */
function statNameLabels(name: StatName | UnknownInbound): Record<string, string> {
  switch (name.direction) {
    case "inbound":
      return name.port === undefined ? { direction: "inbound" } : { direction: "inbound", port: String(name.port) };
    case "outbound":
      return { direction: "outbound", destination_service: name.service, destination_namespace: name.namespace, port: String(name.port) };
    case "passthrough":
      return { direction: "passthrough" };
  }
}

function knownFamily(name: FamilyName): Family {
  return { name, ...families[name] };
}

function applicationMetric({ name, type, tags }: LineIdentity): Metric | DropReason {
  const base = metricName(name);
  if (base.startsWith("weft_")) return "name_reserved";
  const labels = labelsOf(parseTags(tags));
  if (lengthOf(labels) > maxLabelsLength) return "identity_too_long";
  return { family: applicationFamily(base, name, type), labels, divisor: type === "ms" ? 1000 : 1 };
}

/** Tags fit into a line's identity; names that collide grow. */
const maxLabelsLength = 2 * maxIdentityLength;

function lengthOf(labels: Labels): number {
  return labels.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
}

/** Prometheus's conventions for suffixes: a counter ends in `_total`, a timer is in `_seconds`. */
function applicationFamily(base: string, origin: string, type: StatsdType): Family {
  switch (type) {
    case "c":
      return { name: suffixed(base, "_total"), type: "counter", help: `Statsd counter ${origin}.`, buckets: [] };
    case "g":
      return { name: base, type: "gauge", help: `Statsd gauge ${origin}.`, buckets: [] };
    case "ms":
      return { name: suffixed(base, "_seconds"), type: "histogram", help: `Statsd timer ${origin}.`, buckets: families.weft_request_duration_seconds.buckets };
    case "h":
    case "d":
      return { name: base, type: "histogram", help: `Statsd histogram ${origin}.`, buckets: plainBuckets };
  }
}

function metricName(text: string): string {
  return text.replace(/[^a-zA-Z0-9_]/g, "_").replace(/^(?=[0-9])/, "_");
}

function suffixed(name: string, suffix: string): string {
  return name.endsWith(suffix) ? name : name + suffix;
}

/** `a:1,b` → a="1", b="true"; of two tags of one name the first counts. */
function parseTags(text: string): Record<string, string> {
  const tags = new Map<string, string>();
  for (const tag of text.split(",")) {
    const at = tag.indexOf(":");
    const key = at === -1 ? tag : tag.slice(0, at);
    if (key !== "" && !tags.has(key)) tags.set(key, at === -1 ? "true" : tag.slice(at + 1));
  }
  return Object.fromEntries(tags);
}
