/** How benches measure and tell: pairs of subject and floor in one run, the median of their ratio, its spread. */
import { writeFile } from "node:fs/promises";
import { median } from "../../src/std/median.ts";

export interface Result {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly floor: number;
  readonly ratio: number;
  /** (max − min) / median of the ratio. */
  readonly spread: number;
}

/** A result of pairs that were measured one beside the other. */
export function resultOf(name: string, unit: string, pairs: readonly (readonly [subject: number, floor: number])[]): Result {
  const ratios = pairs.map(([subject, floor]) => subject / floor);
  const middle = median(ratios);
  return {
    name,
    unit,
    value: rounded(median(pairs.map(([subject]) => subject))),
    floor: rounded(median(pairs.map(([, floor]) => floor))),
    ratio: rounded(middle),
    spread: rounded((Math.max(...ratios) - Math.min(...ratios)) / middle),
  };
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** Microseconds of one call, as the mean of `times`. */
export function microseconds(work: () => void, times: number): number {
  const started = performance.now();
  for (let i = 0; i < times; i += 1) work();
  return ((performance.now() - started) * 1000) / times;
}

/** A table for people; with `BENCH_JSON=FILE` the same as JSON. */
export async function report(results: readonly Result[]): Promise<void> {
  console.table(results);
  const file = process.env["BENCH_JSON"];
  if (file !== undefined) await writeFile(file, `${JSON.stringify(results, undefined, 2)}\n`);
}
