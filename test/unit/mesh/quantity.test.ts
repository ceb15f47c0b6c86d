import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseQuantity, scaleWeights } from "../../../src/mesh/quantity.ts";

function scale(...texts: readonly (string | number)[]): number[] {
  return scaleWeights(texts.map((text) => parseQuantity(text) ?? { digits: -1n, exponent: 0 }));
}

describe("weights", () => {
  it.each([
    [["1", "500m"], [1000, 500]],
    [["10m", "100m", "1500m"], [10, 100, 1500]],
    [["1", "0m"], [1, 0]],
    [["1.5", ".5"], [1500, 500]],
    [["0.0005", "1"], [5, 10000]],
    [["1e3", "2k"], [1000, 2000]],
    [["0", 0], [0, 0]],
    [[90, 10], [90, 10]],
    [["4G", "1m"], [4_294_967_292, 1]],
    [[9_007_199_254_740_991, 1], [4_294_967_292, 1]],
  ])("%j become the integers %j", (quantities, expected) => {
    expect(scale(...quantities)).toEqual(expected);
  });

  it.each(["", ".", "1.2.3", "-1", "1x", "1e31", "1e-31", "m", "1 ", "0x1", "1e9999"])("%j is no quantity", (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });

  it("never add up to more than Envoy takes, keep zero zero and anything else above it", () => {
    const weight = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.nat(5000).map((count) => `${count}m`), fc.constantFrom("0", "5E", "1e18"));
    fc.assert(
      fc.property(fc.array(weight, { minLength: 1, maxLength: 64 }), (weights) => {
        const scaled = scale(...weights);

        expect(scaled.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(4_294_967_295);
        expect(scaled.map((one) => one === 0)).toEqual(weights.map((one) => /^0m?$/.test(String(one))));
        expect(scaled.every(Number.isInteger)).toBe(true);
      }),
    );
  });
});
