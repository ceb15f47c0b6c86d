import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { reasons, ruleNames } from "../../webhook/inject/reasons.ts";

const readme = await readFile(join(import.meta.dirname, "../../webhook/README.md"), "utf8");

it("lists every decision with its code, its meaning and whether it warns", () => {
  const rows = readme.split("\n").filter((line) => /^\| (injected|skipped|rejected) \|/.test(line));

  const expected = Object.entries(reasons).map(([code, { decision, sentence, warn }]) => `| ${decision} | \`${code}\` | ${sentence} | ${warn ? "yes" : "no"} |`);
  expect(rows).toEqual(expected);
});

it("lists the rules of an injection", () => {
  expect(readme).toContain(`Rules of an injection: ${ruleNames.map((rule) => `\`${rule}\``).join(", ")}.`);
});
