/** A Kubernetes quantity, exactly: `digits` × 10^`exponent`. Floats would make `1500m` and `1.5` differ. */
export interface Quantity {
  readonly digits: bigint;
  readonly exponent: number;
}

const suffixes: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

/** Larger exponents than any quantity of Kubernetes has would only cost time. */
const maxExponent = 30;

/** Reads `1`, `500m`, `0.5`, `1e3`; undefined for what is no quantity, is negative or out of range. */
export function parseQuantity(value: number | string): Quantity | undefined {
  const parts = /^([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,3})|([numkMGTPE]?))$/.exec(String(value));
  if (parts === null) return undefined;
  const [, whole = "", fraction = "", power, suffix = ""] = parts;
  if (whole === "" && fraction === "") return undefined;
  const exponent = (power === undefined ? (suffixes[suffix] ?? 0) : Number(power)) - fraction.length;
  return Math.abs(exponent) > maxExponent ? undefined : { digits: BigInt(whole + fraction), exponent };
}

/** What Envoy takes as the sum of weights (tried: more is rejected). */
const maxSum = 4_294_967_295n;

/**
 * Integers in the same proportion, with a sum ≤ 2³²−1: thousandths where a quantity has a fraction (finer where it must
 * be), else the numbers themselves. Scaling down keeps a weight above 0 above 0.
 */
export function scaleWeights(weights: readonly Quantity[]): number[] {
  const lowest = Math.min(0, ...weights.map(({ digits, exponent }) => (digits === 0n ? 0 : exponent)));
  const unit = lowest < 0 ? Math.min(-3, lowest) : 0;
  const integers = weights.map(({ digits, exponent }) => (digits === 0n ? 0n : digits * 10n ** BigInt(exponent - unit)));
  const sum = integers.reduce((total, weight) => total + weight, 0n);
  if (sum <= maxSum) return integers.map(Number);
  const room = maxSum - BigInt(weights.length);
  return integers.map((weight) => (weight === 0n ? 0 : Math.max(1, Number((weight * room) / sum))));
}
