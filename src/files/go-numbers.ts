/** Numbers as Go's YAML reader takes them (go.yaml.in/yaml/v2 resolve.go), so that we read what kubectl reads. */

const int64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n } as const;
const bases: readonly (readonly [RegExp, string])[] = [
  [/^0[xX]([0-9a-fA-F]+)$/, "0x"],
  [/^0[bB]([01]+)$/, "0b"],
  [/^0[oO]?([0-7]+)$/, "0o"],
  [/^(0|[1-9][0-9]*)$/, ""],
];

/** `0644`, `0o644`, `0x1F`, `0b11`, `1_000`: a number, a bigint where a double is not exact, undefined when it is no 64-bit integer. */
export function parseGoInteger(text: string): number | bigint | undefined {
  const plain = text.replaceAll("_", "");
  const unsigned = plain.replace(/^[-+]/, "");
  for (const [pattern, prefix] of bases) {
    const digits = pattern.exec(unsigned)?.[1];
    if (digits === undefined) continue;
    const value = BigInt(prefix + digits) * (plain.startsWith("-") ? -1n : 1n);
    if (value < int64.min || value > int64.max) return undefined;
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
  return undefined;
}

/** Decimal floats; integers beyond 64 bits and `08` become floats too. Overflow (`1e400`) is no number: undefined. */
export function parseGoFloat(text: string): number | undefined {
  if (/^[-+]?\.inf$/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  if (/^\.nan$/i.test(text)) return NaN;
  const plain = text.replaceAll("_", "");
  if (!/^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(plain)) return undefined;
  const value = Number(plain);
  return Number.isFinite(value) ? value + 0 : undefined;
}
