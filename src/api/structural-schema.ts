import { isRecord } from "./check-schema.ts";

/** A structural schema of apiextensions.k8s.io/v1. */
export type StructuralSchema = Readonly<Record<string, unknown>>;

/**
 * Turns a TypeBox schema into what a CRD may hold: maps as additionalProperties, unions of literals as enum, a union of
 * number and text as int-or-string. @throws Error for what cannot be said: a bug of the schema, found when generating.
 */
export function toStructuralSchema(schema: object): StructuralSchema {
  const { anyOf, const: literal, items, properties, patternProperties, ...rest } = schema as Readonly<Record<string, unknown>>;
  if (Array.isArray(anyOf)) return { ...toUnion(anyOf as readonly object[]), ...rest };
  if (literal !== undefined) return { ...rest, enum: [literal] };
  if (isRecord(patternProperties)) return { ...rest, additionalProperties: toStructuralSchema(onlyValue(patternProperties)) };
  if (isRecord(properties)) return { ...rest, properties: Object.fromEntries(Object.entries(properties).map(([key, child]) => [key, toStructuralSchema(asSchema(child))])) };
  return isRecord(items) ? { ...rest, items: toStructuralSchema(items) } : rest;
}

function toUnion(branches: readonly object[]): StructuralSchema {
  const literals = branches.flatMap((branch) => ("const" in branch ? [branch.const] : []));
  if (literals.length === branches.length) return { type: "string", enum: literals };
  const types = branches.map((branch) => ("type" in branch ? branch.type : undefined)).toSorted();
  if (types.join() !== "integer,string") throw new Error(`no structural schema for a union of ${types.join(", ")}`);
  // Constraints of numbers say nothing about texts, and the other way round: together they are what the union says.
  const constraints: Record<string, unknown> = Object.assign({}, ...branches);
  delete constraints["type"];
  return { ...constraints, anyOf: [{ type: "integer" }, { type: "string" }], "x-kubernetes-int-or-string": true };
}

function onlyValue(record: Readonly<Record<string, unknown>>): object {
  const [value, ...more] = Object.values(record);
  if (more.length > 0) throw new Error("no structural schema for several patterns");
  return asSchema(value);
}

function asSchema(value: unknown): object {
  if (!isRecord(value)) throw new Error("no structural schema for a boolean schema");
  return value;
}
