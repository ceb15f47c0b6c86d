import { expect, it } from "vitest";
import { amountOf } from "../../../src/api/resource-amount.ts";

it.each([
  ["1500m", 1.5],
  ["0.1", 0.1],
  ["100m", 0.1],
  ["64Mi", 67_108_864],
  ["64M", 64_000_000],
  ["1.5Gi", 1_610_612_736],
  ["2k", 2000],
  ["0", 0],
])("%s is %d", (text, amount) => {
  expect(amountOf(text)).toBe(amount);
});
