import { isRecord } from "../check-schema.ts";
import { parseObject, refOf } from "../parse.ts";
import type { Problem } from "../../std/problem.ts";
import { smiGroup } from "../../std/well-known.ts";

export interface Converted {
  /** In order; a document that cannot be converted is left out. Documents that are no drafts are as they were. */
  readonly documents: readonly unknown[];
  readonly problems: readonly Problem[];
}

/**
 * Turns the first draft's literal documents (`apiVersion: v1beta1`, `name` at the top level) into `smi-spec.io/v1beta1`
 * objects, in Lists too: no field is lost, and each result is checked. Other documents pass through untouched.
 */
export function convertDrafts(documents: readonly unknown[]): Converted {
  const results = documents.map(convertDocument);
  return { documents: results.flatMap((result) => result.documents), problems: results.flatMap((result) => result.problems) };
}

const draftKinds: readonly unknown[] = ["TLSConfig", "Canary", "Monitor"];

function convertDocument(document: unknown): Converted {
  if (!isRecord(document)) return unchanged(document);
  const { apiVersion, kind, items } = document;
  if (typeof kind === "string" && kind.endsWith("List") && Array.isArray(items)) return convertList(document, items);
  return apiVersion === "v1beta1" && draftKinds.includes(kind) ? convertDraft(document) : unchanged(document);
}

function convertList(list: Readonly<Record<string, unknown>>, items: readonly unknown[]): Converted {
  const { documents, problems } = convertDrafts(items);
  return { documents: [{ ...list, items: documents }], problems };
}

function unchanged(document: unknown): Converted {
  return { documents: [document], problems: [] };
}

function convertDraft(draft: Readonly<Record<string, unknown>>): Converted {
  const { apiVersion: _, kind, name, metadata, ...rest } = draft;
  const inner = isRecord(metadata) ? metadata : {};
  if (name !== undefined && inner["name"] !== undefined && name !== inner["name"]) {
    const sentence = `It has two names: ${String(name)} at the top and ${String(inner["name"])} in metadata. Keep one.`;
    return { documents: [], problems: [{ severity: "error", code: "object-invalid", object: refOf(draft), sentence }] };
  }
  const object = { apiVersion: `${smiGroup}/v1beta1`, kind, metadata: { ...(name === undefined ? {} : { name }), ...inner }, ...rest };
  const result = parseObject(object);
  if (result.kind === "object") return { documents: [object], problems: result.problems };
  return { documents: [], problems: result.kind === "problem" ? [result.problem] : [] };
}
