/** RFC 6902 operations as JSON texts: a patch is written, never computed as a difference. */

export function addOperation(path: string, value: string): string {
  return `{"op":"add","path":${JSON.stringify(path)},"value":${value}}`;
}

export function replaceOperation(path: string, value: string): string {
  return `{"op":"replace","path":${JSON.stringify(path)},"value":${value}}`;
}

/** A guard: on another pod than the one it was made for, the patch fails instead of changing the wrong thing. */
export function testOperation(path: string, value: unknown): string {
  return `{"op":"test","path":${JSON.stringify(path)},"value":${JSON.stringify(value)}}`;
}

/** A JSON Pointer (RFC 6901) of unescaped tokens. */
export function pointer(...tokens: readonly (string | number)[]): string {
  return tokens.map((token) => `/${String(token).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
