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
const sampleTail = /[ \t]+((?:[+-]?(?:Inf|[0-9]+\.?[0-9]*(?:e[+-]?[0-9]+)?|\.[0-9]+(?:e[+-]?[0-9]+)?)|NaN)(?:[ \t]+-?[0-9]+)?)[ \t]*$/iy;

/**
 * Reads Prometheus text format 0.0.4 and adds labels to each sample (the rules of {@link labelMerger}). All or nothing: a
 * text that breaks the format anywhere comes from something that is not the adapter. Samples without TYPE are untyped.
 */
export function relabel(text: string, constant: Labels): readonly RelabelledFamily[] | NotPrometheus {
  const merge = labelMerger(constant);
  const families = new Map<string, OpenFamily>();
  let current: OpenFamily | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    if (line.startsWith("#")) {
      current = readComment(line, families) ?? current;
    } else if (line.trim() !== "") {
      const sample = parseSample(line);
      if (sample === undefined) return { line: index + 1, reason: "this is no sample of Prometheus's text format" };
      if (current === undefined || !belongs(sample.name, current)) current = familyOf(sample.name, families);
      current.samples.push(formatSample(sample.name, merge(sample.labels), sample.value));
    }
  }
  return [...families.values()].map((family) => ({ ...family, samples: family.samples.join("") }));
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
