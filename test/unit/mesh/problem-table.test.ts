import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { problemCodes } from "../../../src/std/problem.ts";

it("the README's table of problems says what the code says", () => {
  const readme = readFileSync("src/mesh/README.md", "utf8");
  const rows = [...readme.matchAll(/^\| `([a-z-]+)` \| (.+) \|$/gm)].map(([, code, sentence]) => [code, sentence]);

  expect(Object.fromEntries(rows)).toEqual(problemCodes);
});

it("every code is told by somebody", () => {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts") && file !== "std/problem.ts" && !file.startsWith("gen/"));
  const sources = files.map((file) => readFileSync(`src/${file}`, "utf8")).join("");

  expect(Object.keys(problemCodes).filter((code) => !sources.includes(`"${code}"`))).toEqual([]);
});
