/**
 * Lines a second through the adapter's ingest (bytes to series), beside a floor in the same run: the plainest JavaScript
 * that does it, text split at newlines, colons and bars, tags into an object, sums in a Map. `node test/bench/adapter.ts`.
 */
import { writeFile } from "node:fs/promises";
import { median } from "../../src/std/median.ts";
import { createIngest } from "../../src/monitor/ingest.ts";
import { Registry } from "../../src/monitor/registry.ts";

const rounds = 15;
const chunkLength = 65_536;

const workloads: Readonly<Record<string, readonly string[]>> = {
  "Envoy over TCP, 1,000 series": Array.from({ length: 500 }, (_, index) => [
    `envoy.cluster.outbound_service-${index}_shop_80.upstream_rq_200:3|c`,
    ...Array.from({ length: 8 }, (_unused, time) => `envoy.cluster.outbound_service-${index}_shop_80.upstream_rq_time:${time}|ms`),
    `envoy.cluster.outbound_service-${index}_shop_80.upstream_rq_2xx:3|c`,
  ]).flat(),
  "DogStatsD, 1,000 series": Array.from({ length: 1000 }, (_, index) => `app.jobs.done:${index % 7}|c|@0.5|#queue:q${index % 50},worker:w${index},env:test`),
};

interface Result {
  readonly name: string;
  readonly unit: "lines/s";
  readonly value: number;
  readonly floor: number;
  readonly ratio: number;
  readonly spread: number;
}

function ours(bytes: Buffer): () => void {
  const registry = new Registry({ maxSeries: 10_000, ttlMs: 600_000, now: () => performance.now() });
  const ingest = createIngest(registry, 20_000);
  return () => {
    const stream = ingest.stream();
    for (let at = 0; at < bytes.length; at += chunkLength) stream.write(bytes.subarray(at, at + chunkLength));
    stream.end();
  };
}

function plain(bytes: Buffer): () => void {
  const sums = new Map<string, number>();
  return () => {
    for (const line of bytes.toString("utf8").split("\n")) {
      const [head = "", type = "", ...sections] = line.split("|");
      const [name = "", value] = head.split(":");
      const tags = sections.find((section) => section.startsWith("#"));
      const labels = Object.fromEntries((tags?.slice(1).split(",") ?? []).map((tag) => tag.split(":")) as [string, string][]);
      const key = `${name}|${type}|${JSON.stringify(labels)}`;
      sums.set(key, (sums.get(key) ?? 0) + Number(value));
    }
  };
}

/** Lines a second of one run. */
function rate(work: () => void, lines: number): number {
  const start = performance.now();
  work();
  return (lines * 1000) / (performance.now() - start);
}

function measure(name: string, lines: readonly string[]): Result {
  const repeated = Array.from({ length: Math.ceil(200_000 / lines.length) }, () => lines).flat();
  const bytes = Buffer.from(repeated.join("\n"));
  const [subject, floor] = [ours(bytes), plain(bytes)];
  const pairs = Array.from({ length: rounds + 3 }, () => [rate(subject, repeated.length), rate(floor, repeated.length)] as const).slice(3);
  const ratios = pairs.map(([a, b]) => a / b);
  return {
    name,
    unit: "lines/s",
    value: Math.round(median(pairs.map(([value]) => value))),
    floor: Math.round(median(pairs.map(([, value]) => value))),
    ratio: Number(median(ratios).toFixed(2)),
    spread: Number(((Math.max(...ratios) - Math.min(...ratios)) / median(ratios)).toFixed(2)),
  };
}

const results = Object.entries(workloads).map(([name, lines]) => measure(name, lines));
console.table(results);
const file = process.env["BENCH_JSON"];
if (file !== undefined) await writeFile(file, JSON.stringify(results, undefined, 2));
