import { Composer, LineCounter, Parser, stringify } from "yaml";
import type { CreateNodeOptions, Document, DocumentOptions, ParseOptions, ScalarTag, SchemaOptions, ToStringOptions } from "yaml";
import { findAliasProblem } from "./aliases.ts";
import { parseGoFloat, parseGoInteger } from "./go-numbers.ts";

/** What a text held: the good documents in order, and a sentence for each bad one. */
export interface ReadDocuments {
  readonly documents: readonly unknown[];
  readonly problems: readonly string[];
}

export type DocumentFormat = "yaml" | "json";

/**
 * Reads YAML or JSON as kubectl does: YAML 1.1 scalars with Go's numbers (`yes`, `0644`, `0x1F`; no sexagesimals and no
 * timestamps), `<<` merges, the last of equal keys wins, a JSON text may hold several objects. An integer that a double
 * cannot hold comes as a bigint and prints back the same. Documents that are no object are told in `problems`; empty ones
 * are passed over. The values that the tests expect are kubectl's own answers (v1.36).
 */
export function readDocuments(text: string, fileName: string): ReadDocuments {
  const json = text.trimStart().startsWith("{") ? parseJson(text) : undefined;
  if (json !== undefined) return { documents: [json], problems: [] };
  const documents: unknown[] = [];
  const problems: string[] = [];
  const lines = new LineCounter();
  // One at a time: all of a file's trees at once would take a hundred times its size.
  for (const document of new Composer(parseOptions).compose(new Parser(lines.addNewLine).parse(text))) {
    const read = toObject(document, lines);
    if ("problem" in read) problems.push(`${fileName}: ${read.problem}`);
    else if (read.value !== undefined) documents.push(read.value);
  }
  return { documents, problems };
}

/** Prints so that kubectl reads back the same values; several documents as JSON become one `List`, as kubectl prints them. */
export function formatDocuments(documents: readonly unknown[], format: DocumentFormat): string {
  if (format === "yaml") return documents.map((document) => stringify(document, formatOptions)).join("---\n");
  const whole = documents.length === 1 ? documents[0] : { apiVersion: "v1", kind: "List", items: documents };
  return `${JSON.stringify(whole, exactInteger, 2)}\n`;
}

/** The items of a `List` (also `PodList` and the like), else the document itself. */
export function unrollList(document: unknown): readonly unknown[] {
  if (!isObject(document)) return [document];
  const { kind, items } = document;
  return typeof kind === "string" && kind.endsWith("List") && Array.isArray(items) ? items.flatMap(unrollList) : [document];
}

const nullTag: ScalarTag = {
  tag: "tag:yaml.org,2002:null",
  default: true,
  identify: (value) => value === null || value === undefined,
  test: /^(?:~|[Nn]ull|NULL)?$/,
  resolve: () => null,
  stringify: () => "null",
};

const booleanTag: ScalarTag = {
  tag: "tag:yaml.org,2002:bool",
  default: true,
  identify: (value) => typeof value === "boolean",
  test: /^(?:[Yy]|[Yy]es|YES|[Tt]rue|TRUE|[Oo]n|ON|[Nn]|[Nn]o|NO|[Ff]alse|FALSE|[Oo]ff|OFF)$/,
  resolve: (text) => /^(?:y|t|on)/i.test(text),
  stringify: (item) => String(item.value),
};

const integerTag: ScalarTag = {
  tag: "tag:yaml.org,2002:int",
  default: true,
  identify: (value) => typeof value === "bigint" || Number.isInteger(value),
  test: /^[-+]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|[0-9][0-9_]*)$/,
  resolve: (text) => parseGoInteger(text) ?? parseGoFloat(text) ?? text,
  stringify: (item) => String(item.value),
};

const floatTag: ScalarTag = {
  tag: "tag:yaml.org,2002:float",
  default: true,
  identify: (value) => typeof value === "number",
  test: /^(?:[-+]?(?:\.[0-9_]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
  resolve: (text) => parseGoFloat(text) ?? text,
  stringify: (item) => String(item.value),
};

const binaryTag: ScalarTag = {
  tag: "tag:yaml.org,2002:binary",
  identify: () => false,
  resolve: (text) => Buffer.from(text, "base64").toString("utf8"),
};

/** For printing alone: a string `<<` must be quoted, or it would be read as a merge. */
const mergeLookalikeTag: ScalarTag = { tag: "!merge-lookalike", default: true, identify: () => false, test: /^<<$/, resolve: (text) => text };

// oxlint-disable-next-line no-control-regex -- these are the characters that it is about
const needsEscape = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]|^[\n ]*\t/;

/** For printing alone: what Go's reader takes for a line break, a control character or wrong indentation is escaped. */
const escapedTag: ScalarTag = {
  tag: "tag:yaml.org,2002:str",
  default: true,
  identify: (value) => typeof value === "string" && needsEscape.test(value),
  resolve: (text) => text,
  stringify: (item) => JSON.stringify(item.value).replace(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, escapeCharacter),
};

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

const scalarTags = [nullTag, booleanTag, integerTag, floatTag, binaryTag];

/** `uniqueKeys: false` because kubectl lets the last one win. */
const parseOptions: ParseOptions & DocumentOptions & SchemaOptions = {
  schema: "failsafe",
  customTags: scalarTags,
  merge: true,
  uniqueKeys: false,
  logLevel: "error",
};

/** `compat` quotes what any other YAML 1.1 reader would take for something else than a string. */
const formatOptions: DocumentOptions & SchemaOptions & CreateNodeOptions & ToStringOptions = {
  schema: "failsafe",
  customTags: (tags) => [escapedTag, ...tags, ...scalarTags, mergeLookalikeTag],
  compat: "yaml-1.1",
  lineWidth: 0,
  aliasDuplicateObjects: false,
};

/** The document's object; no value for an empty document. */
function toObject(document: Document.Parsed, lines: LineCounter): { readonly value: object | undefined } | { readonly problem: string } {
  const [error] = document.errors;
  if (error !== undefined) return { problem: `${plain(error.message)} ${formatPosition(lines.linePos(error.pos[0]))}` };
  try {
    const aliases = findAliasProblem(document);
    if (aliases !== undefined) return { problem: aliases };
    const value: unknown = document.toJS({ maxAliasCount: 1000 });
    if (value === null || value === undefined) return { value: undefined };
    if (!isObject(value)) return { problem: `a document is ${describe(value)}, not an object` };
    const path = findNonFinite(value);
    return path === undefined ? { value: unshare(value) } : { problem: `${path} is infinite or not a number, which JSON cannot say` };
  } catch (error) {
    return { problem: error instanceof Error ? plain(error.message) : String(error) };
  }
}

/** The reader follows a document's depth with its own. */
function plain(message: string): string {
  return message.startsWith("Maximum call stack") ? "it is nested too deeply, or in a circle" : (message.split("\n")[0] ?? "not YAML");
}

function formatPosition({ line, col }: { readonly line: number; readonly col: number }): string {
  return `at line ${line}, column ${col}`;
}

/** The reader gives an alias the anchor's very own object: a patch of the one place would change the other as well. */
function unshare<T>(value: T): T;
function unshare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => unshare(item));
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, child]) => [key, unshare(child)])) : value;
}

function findNonFinite(value: unknown, path = ""): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : path || "the document";
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, child] of Object.entries(value)) {
    const found = findNonFinite(child, path === "" ? key : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** undefined = not one JSON value; the YAML reader then says what is wrong. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, reviveInteger);
  } catch {
    return undefined;
  }
}

/** The third argument is the text of a number (ECMAScript's JSON.parse source text access). */
function reviveInteger(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || context?.source === undefined) return value;
  return /^-?[0-9]+$/.test(context.source) ? (parseGoInteger(context.source) ?? value) : value;
}

/** JSON.rawJSON is in Node 24, not yet in TypeScript's library. */
const { rawJSON } = JSON as typeof JSON & { readonly rawJSON: (text: string) => unknown };

function exactInteger(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? rawJSON(String(value)) : value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}
