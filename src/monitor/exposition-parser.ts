import { formatSample } from "./exposition.ts";
import { labelMerger, type Labels } from "./labels.ts";

/** One family of a Prometheus text, its samples with constant labels added, ready to be sent on. */
export interface RelabelledFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  /** Whole lines. */
  readonly samples: string;
}

/** A text that is not Prometheus's. */
export interface NotPrometheus {
  readonly line: number;
  readonly reason: string;
}

interface Sample {
  readonly name: string;
  readonly labels: Labels;
  /** Value, and a timestamp if there is one, as they stood. */
  readonly value: string;
}

interface OpenFamily {
  name: string;
  type: string;
  help: string;
  readonly samples: string[];
}

const types: ReadonlySet<string> = new Set(["counter", "gauge", "histogram", "summary", "untyped"]);
const sampleHead = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="([^"\\]*(?:\\.[^"\\]*)*)"(?:,|(?=\}))/y;
// No digit may be matched in two ways: a pod's line of a million digits would be tried in as many pairs of them.
const sampleTail = /[ \t]+((?:[+-]?(?:Inf|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?)|NaN)(?:[ \t]+-?[0-9]+)?)[ \t]*$/iy;

/** What one text may cost: an adapter full of histograms has 160,000 lines. */
export const relabelLimits = { lines: 250_000, length: 32 * 1024 * 1024 } as const;
/** Some milliseconds. */
const linesPerStep = 2_000;

/**
 * Reads Prometheus text format 0.0.4 and adds labels to each sample (the rules of {@link labelMerger}). All or nothing: a
 * text that breaks the format anywhere comes from something that is not the adapter. Samples without TYPE are untyped.
 */
export function relabel(text: string, constant: Labels): readonly RelabelledFamily[] | NotPrometheus {
  const steps = relabelSteps(text, constant);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** {@link relabel} with pauses: the text of one pod must not hold up what else the process does. */
export function* relabelSteps(text: string, constant: Labels): Generator<undefined, readonly RelabelledFamily[] | NotPrometheus> {
  const reading: Reading = { merge: labelMerger(constant), families: new Map(), current: undefined, length: 0 };
  let line = 0;
  for (const content of linesOf(text)) {
    line++;
    if (line % linesPerStep === 0) yield;
    const reason = line > relabelLimits.lines ? `there are more than ${relabelLimits.lines} lines` : readLine(content, reading);
    if (reason !== undefined) return { line, reason };
  }
  return [...reading.families.values()].map((family) => ({ ...family, samples: family.samples.join("") }));
}

interface Reading {
  readonly merge: (own: Labels) => Labels;
  readonly families: Map<string, OpenFamily>;
  current: OpenFamily | undefined;
  /** Of the samples as they will be sent. */
  length: number;
}

/** What is wrong with the line; undefined = nothing. */
function readLine(line: string, reading: Reading): string | undefined {
  if (line.startsWith("#")) {
    reading.current = readComment(line, reading.families) ?? reading.current;
    return undefined;
  }
  if (line.trim() === "") return undefined;
  const sample = parseSample(line);
  if (sample === undefined) return "this is no sample of Prometheus's text format";
  if (reading.current === undefined || !belongs(sample.name, reading.current)) reading.current = familyOf(sample.name, reading.families);
  const formatted = formatSample(sample.name, reading.merge(sample.labels), sample.value);
  reading.current.samples.push(formatted);
  reading.length += formatted.length;
  return reading.length > relabelLimits.length ? `with its labels the text is longer than ${relabelLimits.length} bytes` : undefined;
}

/** One at a time: an array of them would cost more than the text. */
function* linesOf(text: string): Generator<string> {
  let start = 0;
  for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
    yield text.slice(start, end);
    start = end + 1;
  }
  yield text.slice(start);
}

/** HELP and TYPE open a family or add to it; any other comment says nothing. */
function readComment(line: string, families: Map<string, OpenFamily>): OpenFamily | undefined {
  const [, keyword, name = "", rest = ""] = /^#[ \t]+(HELP|TYPE)[ \t]+([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t]?(.*)$/.exec(line) ?? [];
  if (keyword === undefined) return undefined;
  const family = familyOf(name, families);
  if (keyword === "HELP") family.help = unescape(rest);
  else if (types.has(rest.trim())) family.type = rest.trim();
  return family;
}

function familyOf(name: string, families: Map<string, OpenFamily>): OpenFamily {
  const known = families.get(name);
  if (known !== undefined) return known;
  const family = { name, type: "untyped", help: "", samples: [] };
  families.set(name, family);
  return family;
}

function belongs(sample: string, { name, type }: OpenFamily): boolean {
  if (sample === name) return true;
  if (type !== "histogram" && type !== "summary") return false;
  return ["_bucket", "_sum", "_count"].some((suffix) => sample === name + suffix);
}

function parseSample(line: string): Sample | undefined {
  const name = matchAt(sampleHead, line, 0)?.[0];
  if (name === undefined) return undefined;
  const labels: (readonly [string, string])[] = [];
  let at = name.length;
  if (line[at] === "{") {
    at++;
    for (let match = matchAt(label, line, at); match !== undefined; match = matchAt(label, line, at)) {
      labels.push([match[1] ?? "", unescape(match[2] ?? "")]);
      at += match[0].length;
    }
    if (line[at] !== "}") return undefined;
    at++;
  }
  const value = matchAt(sampleTail, line, at)?.[1];
  return value === undefined ? undefined : { name, labels, value };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

function unescape(text: string): string {
  return text.includes("\\") ? text.replace(/\\([\\"n])/g, (_, char: string) => (char === "n" ? "\n" : char)) : text;
}
