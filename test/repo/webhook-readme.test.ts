import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { annotationTable } from "../../webhook/inject/annotation-table.ts";
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

it("lists every annotation with its type, default, example and meaning", () => {
  const section = readme.split("\n## ").find((part) => part.startsWith("Annotations\n")) ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));

  const expected = Object.entries(annotationTable).map(([name, row]) => `| \`${name}\` | ${row.type.must} | ${row.default} | \`${row.example}\` | ${row.sentence} |`);
  expect(rows).toEqual(expected);
});
