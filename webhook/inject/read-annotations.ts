import { injectLabel, statusAnnotation } from "../../src/std/well-known.ts";
import { annotationPrefix, annotationTable, isAnnotationName, type AnnotationName, type AnnotationValues } from "./annotation-table.ts";
import { nearestName } from "./nearest-name.ts";
import type { Opaque } from "./opaque.ts";

/** What the annotations under `weft.mesh/` say. Sentences quote a person's text cut short, and in printable ASCII alone. */
export interface ReadAnnotations {
  readonly values: AnnotationValues;
  /** One sentence for each bad value, which then counts as absent. */
  readonly faults: readonly string[];
  /** One sentence for each name that is not known, which changes nothing. */
  readonly warnings: readonly string[];
}

/** A pod's annotations, and those of its namespace, which stand in for what the pod does not say. */
export interface AnnotationSources {
  readonly pod: Opaque;
  readonly namespace: Readonly<Record<string, string>>;
  readonly namespaceName: string;
}

const nothing: ReadAnnotations = { values: {}, faults: [], warnings: [] };
/** A pod can carry thousands of annotations; a person reads a few warnings. */
const maxWarnings = 5;

/** Reads the annotations; the same object for all pods that carry none. */
export function readAnnotations({ pod, namespace, namespaceName }: AnnotationSources): ReadAnnotations {
  const own = Object.keys(pod).filter(isForReading);
  const inherited = Object.keys(namespace).filter((key) => isForReading(key) && !Object.hasOwn(pod, key));
  if (own.length === 0 && inherited.length === 0) return nothing;
  const parts = [readAll(own, pod, ""), readAll(inherited, namespace, ` (of the namespace '${namespaceName}')`)];
  return {
    values: Object.assign({}, ...parts.map(({ values }) => values)) as AnnotationValues,
    faults: parts.flatMap(({ faults }) => faults),
    warnings: parts.flatMap(({ warnings }) => warnings).slice(0, maxWarnings),
  };
}

function isForReading(key: string): boolean {
  return key.startsWith(annotationPrefix) && key !== statusAnnotation;
}

function readAll(keys: readonly string[], texts: Opaque, bearer: string): ReadAnnotations {
  const values: [AnnotationName, unknown][] = [];
  const faults: string[] = [];
  const warnings: string[] = [];
  for (const key of keys) {
    const { [key]: text } = texts;
    const name = key.slice(annotationPrefix.length);
    if (!isAnnotationName(name)) {
      if (warnings.length < maxWarnings) warnings.push(describeUnknown(key, name) + bearer);
      continue;
    }
    const value = readValue(name, text);
    if (value === undefined) faults.push(`${key} is ${quote(text)}, and must be ${annotationTable[name].type.must}${bearer}`);
    else values.push([name, value]);
  }
  return { values: Object.fromEntries(values) as AnnotationValues, faults, warnings };
}

/** Not a text: YAML reads an unquoted `4` as a number, which the API server would refuse. */
function readValue(name: AnnotationName, text: unknown): unknown {
  const { type } = annotationTable[name];
  return typeof text === "string" && text.length <= type.maxLength ? type.read(text) : undefined;
}

function describeUnknown(key: string, name: string): string {
  if (key === injectLabel) return `${injectLabel} is a label, and as an annotation it means nothing`;
  const nearest = nearestName(name, Object.keys(annotationTable));
  const advice = nearest === undefined ? "it changes nothing" : `did you mean ${annotationPrefix}${nearest}?`;
  return `the annotation ${quote(key)} is not known; ${advice}`;
}

/** Line breaks, quotes and look-alikes must not make a message say something else. */
function quote(value: unknown): string {
  if (typeof value !== "string") return `${String(JSON.stringify(value)).slice(0, 40)} without quotes`;
  const text = value.length > 40 ? `${value.slice(0, 40)}…` : value;
  const ascii = JSON.stringify(text.slice(0, 40)).replaceAll(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return value.length > 40 ? `${ascii} and so on (${value.length} characters)` : ascii;
}
