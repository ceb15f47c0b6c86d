/** RFC 6902 operations as JSON texts: a patch is written, never computed as a difference. */

export function addOperation(path: string, value: string): string {
  return `{"op":"add","path":${JSON.stringify(path)},"value":${value}}`;
}

export function replaceOperation(path: string, value: string): string {
  return `{"op":"replace","path":${JSON.stringify(path)},"value":${value}}`;
}

/** A guard: on another pod than the one it was made for, the patch fails instead of changing the wrong thing. */
export function testOperation(path: string, value: unknown): string {
  return `{"op":"test","path":${JSON.stringify(path)},"value":${toJson(value)}}`;
}

/** JSON.rawJSON is in Node 24, not yet in TypeScript's library. */
const { rawJSON } = JSON as typeof JSON & { readonly rawJSON: (text: string) => unknown };

/** As JSON.stringify; the command line reads an integer that a number cannot hold as a bigint. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "bigint" ? rawJSON(String(inner)) : inner));
}

/** A JSON Pointer (RFC 6901) of unescaped tokens. */
export function pointer(...tokens: readonly (string | number)[]): string {
  return tokens.map((token) => `/${String(token).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
