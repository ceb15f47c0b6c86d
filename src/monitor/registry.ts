import { compareText, sortedBy } from "../std/sort.ts";
import { dropReasons, type DropReason } from "./drop-reasons.ts";
import type { FamilyValues, SeriesValue } from "./exposition.ts";
import type { Labels } from "./labels.ts";
import type { Family, Metric } from "./metric-names.ts";
import type { StatsdValue } from "./statsd.ts";

export interface RegistryOptions {
  /** Series that may exist at a time; a histogram is one. */
  readonly maxSeries: number;
  /** A series that nothing was heard of for this long goes; 0 = never. */
  readonly ttlMs: number;
  /** Milliseconds, never going back. */
  readonly now: () => number;
}

/** One series. Only the registry writes to it; `expired` tells who keeps it that it no longer counts. */
export interface Series {
  readonly family: Family;
  readonly labels: Labels;
  readonly divisor: number;
  readonly expired: boolean;
}

interface State extends Series {
  readonly key: string;
  expired: boolean;
  seenAt: number;
  /** Of a counter or gauge; a histogram's sum. In the line's unit: whole milliseconds add up exactly, seconds do not. */
  value: number;
  /** Of a histogram. */
  readonly counts: Float64Array | undefined;
}

interface FamilyState {
  readonly family: Family;
  readonly series: Map<string, State>;
}

const histogramSuffixes = ["_bucket", "_sum", "_count"];
/** Under a flood of new names, looking for expired series is not repeated for each line. */
const sweepPauseMs = 1_000;

/** The adapter's series, with what they cost bounded: a cap, a TTL, and every line that does not count counted by reason. */
export class Registry {
  readonly #options: RegistryOptions;
  readonly #families = new Map<string, FamilyState>();
  readonly #dropped = new Map<DropReason, number>();
  #series = 0;
  #lines = 0;
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** How many series exist. */
  get size(): number {
    return this.#series;
  }

  /** A line came, good or bad. */
  countLine(): void {
    this.#lines++;
  }

  /** A line or one of its values does not count. */
  drop(reason: DropReason): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }

  /** The series of a metric, made if need be, or why it cannot be. */
  series(metric: Metric): Series | DropReason {
    const known = this.#families.get(metric.family.name);
    if (known !== undefined && known.family.type !== metric.family.type) return "type_conflict";
    const key = JSON.stringify(metric.labels);
    const existing = known?.series.get(key);
    if (existing !== undefined) return existing;
    if (known === undefined && this.#sharesSamples(metric.family)) return "type_conflict";
    if (this.#series >= this.#options.maxSeries && !this.#makeRoom()) return "series_limit";
    return this.#create(metric, key);
  }

  /** Takes one value of a line with this sample rate; `series` comes from this registry. Tells why it does not count. */
  record(series: Series, sample: StatsdValue, rate: number): DropReason | undefined {
    const state = series as State;
    state.seenAt = this.#options.now();
    const weight = Math.round(1 / rate);
    const value = nextValue(state, sample, rate);
    if (!Number.isFinite(value) || !Number.isFinite(weight)) return "value_invalid";
    state.value = value;
    if (state.counts !== undefined) {
      const index = bucketOf(state.family.buckets, sample.amount / state.divisor);
      state.counts[index] = (state.counts[index] ?? 0) + weight;
    }
    return undefined;
  }

  /** Removes series that nothing was heard of for the TTL. */
  sweep(): void {
    this.#sweptAt = this.#options.now();
    if (this.#options.ttlMs === 0) return;
    const oldest = this.#sweptAt - this.#options.ttlMs;
    for (const [name, { series }] of this.#families) {
      for (const state of series.values()) if (state.seenAt < oldest) this.#remove(series, state);
      if (series.size === 0) this.#families.delete(name);
    }
  }

  /** Everything to expose, sorted by name and labels: the series, and how the registry itself does. */
  collect(): FamilyValues[] {
    this.sweep();
    const families = [...this.#families.values()].map(({ family, series }) => ({
      family,
      series: sortedBy(series.values(), (state) => state.key).map((state) => ({
        labels: state.labels,
        value: valueOf(state),
      })),
    }));
    return [...families, ...this.#self()].sort((a, b) => compareText(a.family.name, b.family.name));
  }

  #create(metric: Metric, key: string): State {
    const { family } = metric;
    const counts = family.type === "histogram" ? new Float64Array(family.buckets.length + 1) : undefined;
    const state: State = { ...metric, key, counts, expired: false, seenAt: this.#options.now(), value: 0 };
    const known = this.#families.get(family.name);
    if (known === undefined) this.#families.set(family.name, { family, series: new Map([[key, state]]) });
    else known.series.set(key, state);
    this.#series++;
    return state;
  }

  #remove(series: Map<string, State>, state: State): void {
    state.expired = true;
    series.delete(state.key);
    this.#series--;
  }

  #makeRoom(): boolean {
    if (this.#options.now() - this.#sweptAt >= sweepPauseMs) this.sweep();
    return this.#series < this.#options.maxSeries;
  }

  /** A histogram's samples are named NAME_bucket, NAME_sum and NAME_count: no other metric may be called so. */
  #sharesSamples({ name, type }: Family): boolean {
    if (type === "histogram" && histogramSuffixes.some((suffix) => this.#families.has(name + suffix))) return true;
    const base = histogramSuffixes.find((suffix) => name.endsWith(suffix));
    return base !== undefined && this.#families.get(name.slice(0, -base.length))?.family.type === "histogram";
  }

  #self(): FamilyValues[] {
    const reasons = Object.keys(dropReasons).sort(compareText) as DropReason[];
    const dropped = reasons.map((reason) => ({ labels: [["reason", reason]] as const, value: this.#dropped.get(reason) ?? 0 }));
    return [
      { family: selfFamilies.dropped, series: dropped },
      { family: selfFamilies.lines, series: [{ labels: [], value: this.#lines }] },
      { family: selfFamilies.series, series: [{ labels: [], value: this.#series }] },
    ];
  }
}

const selfFamilies = {
  lines: { name: "weft_adapter_lines_total", type: "counter", help: "Statsd lines received.", buckets: [] },
  dropped: { name: "weft_adapter_dropped_total", type: "counter", help: "Statsd samples that were not counted, by reason.", buckets: [] },
  series: { name: "weft_adapter_series", type: "gauge", help: "Series that the adapter holds.", buckets: [] },
} as const satisfies Record<string, Family>;

function nextValue(state: State, sample: StatsdValue, rate: number): number {
  switch (state.family.type) {
    case "counter":
      return state.value + sample.amount / rate;
    case "gauge":
      return sample.relative ? state.value + sample.amount : sample.amount;
    case "histogram":
      return state.value + sample.amount * Math.round(1 / rate);
  }
}

function valueOf({ value, divisor, counts }: State): SeriesValue["value"] {
  return counts === undefined ? value / divisor : { counts, sum: value / divisor };
}

/** The index of the first bound that is not below the value. */
function bucketOf(bounds: readonly number[], value: number): number {
  const index = bounds.findIndex((bound) => value <= bound);
  return index === -1 ? bounds.length : index;
}
