import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { problemCodes } from "../../../src/std/problem.ts";

it("the README's table of problems says what the code says", () => {
  const readme = readFileSync("src/mesh/README.md", "utf8");
  const rows = [...readme.matchAll(/^\| `([a-z-]+)` \| (.+) \|$/gm)].map(([, code, sentence]) => [code, sentence]);

  expect(Object.fromEntries(rows)).toEqual(problemCodes);
});
