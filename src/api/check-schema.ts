import type { Static, TSchema } from "typebox";
import { Value } from "typebox/value";

export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly faults: readonly string[] };

/**
 * Checks a value from outside; a null counts as absent, as in Kubernetes. `at` names the value in the faults
 * (`spec.backends[0].weight must be >= 0`), of which there are at most three.
 */
export function checkSchema<T extends TSchema>(schema: T, value: unknown, at: string): Checked<Static<T>> {
  if (Value.Check(schema, value)) return { ok: true, value };
  // Only now: objects of an API server have next to no nulls, and copying each would cost more than checking it.
  const bare = withoutNulls(value);
  if (Value.Check(schema, bare)) return { ok: true, value: bare };
  return { ok: false, faults: describeFaults(schema, bare, at) };
}

/** Paths of fields that an open schema does not name, which a typing error makes: `spec.metriclabels`. */
export function findUnknownFields(schema: object, value: unknown, at: string): readonly string[] {
  const { properties, items } = schema as { readonly properties?: Record<string, object>; readonly items?: object };
  if (Array.isArray(value)) return items === undefined ? [] : value.flatMap((item, index) => findUnknownFields(items, item, `${at}[${index}]`));
  if (properties === undefined || typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
    return known === undefined ? [`${at}.${key}`] : findUnknownFields(known, child, `${at}.${key}`);
  });
}

/** `metadata` and the like: a plain object, not a list and not null. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

interface Fault {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

/** One sentence a place; what the branches of a union say is joined with "or". */
function describeFaults(schema: TSchema, value: unknown, at: string): readonly string[] {
  const byPlace = new Map<string, string[]>();
  for (const fault of Value.Errors(schema, value) as readonly Fault[]) {
    if (fault.keyword === "anyOf" || fault.keyword === "additionalProperties") continue;
    const said = byPlace.get(fault.instancePath) ?? [];
    byPlace.set(fault.instancePath, said);
    const message = phrase(fault);
    if (!said.includes(message)) said.push(message);
  }
  return [...byPlace].slice(0, 3).map(([place, said]) => `${formatPlace(at, place)} ${said.join(" or ")}`);
}

function phrase({ keyword, message, params }: Fault): string {
  if (keyword === "boolean") return "is not a known field";
  if (keyword === "const" && "allowedValue" in params) return `must be ${String(params.allowedValue)}`;
  if (keyword === "required" && "requiredProperties" in params && Array.isArray(params.requiredProperties)) {
    return `lacks ${params.requiredProperties.join(" and ")}`;
  }
  return keyword === "minLength" ? "must not be empty" : message;
}

/** A JSON pointer as people write paths: `/backends/0/weight` → `spec.backends[0].weight`. */
function formatPlace(at: string, pointer: string): string {
  const steps = pointer.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  const path = steps.map((step) => (/^[0-9]+$/.test(step) ? `[${step}]` : `.${step}`)).join("");
  return at === "" ? path.replace(/^\./, "") || "the document" : at + path;
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  const kept = Object.entries(value).filter(([, child]) => child !== null);
  return Object.fromEntries(kept.map(([key, child]) => [key, withoutNulls(child)]));
}
