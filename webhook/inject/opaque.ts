/**
 * Reading an object that we do not own: only the fields we ask for, and never a throw. What has another type than
 * Kubernetes gives it counts as absent; the API server refuses it in its own words.
 */
export type Opaque = Readonly<Record<string, unknown>>;

export function asRecord(value: unknown): Opaque | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Opaque) : undefined;
}

/** The own property `key` of an object; undefined when there is none. */
export function field(value: unknown, key: string): unknown {
  const record = asRecord(value);
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

export function recordAt(value: unknown, key: string): Opaque {
  return asRecord(field(value, key)) ?? {};
}

export function listAt(value: unknown, key: string): readonly unknown[] {
  const found = field(value, key);
  return Array.isArray(found) ? found : [];
}

/** Empty when absent or no text. */
export function textAt(value: unknown, key: string): string {
  const found = field(value, key);
  return typeof found === "string" ? found : "";
}

/** A safe integer; undefined when absent or anything else. */
export function integerAt(value: unknown, key: string): number | undefined {
  const found = field(value, key);
  return typeof found === "number" && Number.isSafeInteger(found) ? found : undefined;
}

/**
 * A value for a person: YAML reads an unquoted `true` as a boolean, and its text is what was written. An object is not
 * asked, for it may have a `toString` of its own.
 */
export function showScalar(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
