import { expect, it } from "vitest";
import { parseDuration } from "../../../src/std/duration.ts";

it.each([
  ["500ms", 500],
  ["90s", 90_000],
  ["15m", 900_000],
  ["24h", 86_400_000],
  ["0s", 0],
])("%s is %i milliseconds", (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

it.each(["", "5", "s", "-1s", "1.5h", "1d", "1h30m", " 1s"])("'%s' is no duration", (text) => {
  expect(parseDuration(text)).toBeUndefined();
});
