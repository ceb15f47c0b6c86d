import type { Static, TSchema } from "typebox";
import { checkSchema } from "./check-schema.ts";
import type { MeshObject } from "./objects.ts";
import type { ProblemCode } from "../std/problem.ts";

/** What is wrong with an object, before it is said which object that is. */
export interface Fault {
  readonly code: ProblemCode;
  readonly sentence: string;
}

/** An object that is used in spite of its faults. */
export interface Kept<T extends MeshObject> {
  readonly object: T;
  readonly faults: readonly Fault[];
}

/** How one kind is read: its group and versions, and from the raw JSON to the trimmed object. */
export interface KindParser {
  readonly group: string;
  readonly versions: readonly string[];
  /** Ours: a field that is not known is told. */
  readonly strictness: "strict" | "open";
  readonly schema: TSchema;
  /** Never throws. */
  readonly parse: (raw: unknown) => Kept<MeshObject> | Fault;
}

/** Ties a schema to the function that takes what it lets through. */
export function kindParser<T extends TSchema>(options: {
  readonly group: string;
  readonly versions: readonly string[];
  readonly strictness: "strict" | "open";
  readonly schema: T;
  readonly trim: (raw: Static<T>) => MeshObject | Kept<MeshObject> | Fault;
}): KindParser {
  const { trim, ...rest } = options;
  return {
    ...rest,
    parse: (raw) => {
      const checked = checkSchema(options.schema, raw, "");
      if (!checked.ok) return { code: "object-invalid", sentence: `${checked.faults.join("; ")}.` };
      const trimmed = trim(checked.value);
      return "kind" in trimmed ? { object: trimmed, faults: [] } : trimmed;
    },
  };
}
