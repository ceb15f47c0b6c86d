import { describe, expect, it } from "vitest";
import { countValues } from "../../../webhook/json-size.ts";

describe("countValues", () => {
  it.each([
    ["1", 1],
    ["[]", 2],
    ["[1,2,3]", 4],
    ['{"a":[{},{}],"b":null}', 7],
    ['"a,b,[{"', 1],
    [String.raw`["\",","[,"]`, 3],
    ['["unended,,,', 2],
  ])("counts %s as %i", (text, count) => {
    expect(countValues(text)).toBe(count);
  });
});
