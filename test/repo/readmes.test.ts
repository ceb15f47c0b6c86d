import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { problemCodes } from "../../src/std/problem.ts";

const files = execFileSync("git", ["ls-files"], { encoding: "utf8" }).split("\n");
const readmes = files.filter((file) => file.endsWith("README.md"));

/** Folders that stand on their own: those with code of ours, two levels deep. */
function codeFolders(): string[] {
  const folders = files.filter((file) => /^(src|webhook|certs)\/.*\.ts$/.test(file)).map((file) => dirname(file).split("/").slice(0, 2).join("/"));
  return [...new Set(folders)].filter((folder) => folder !== "src" && existsSync(folder)).sort();
}

describe("READMEs", () => {
  it.each(codeFolders())("%s has one that says what lives there", (folder) => {
    expect(existsSync(`${folder}/README.md`)).toBe(true);
  });

  it("name only make targets that exist", () => {
    const targets = new Set([...readFileSync("Makefile", "utf8").matchAll(/^([a-z0-9-]+):/gm)].map((match) => match[1]));
    const named = [...readmes, "CONTRIBUTING.md"].flatMap((file) => [...readFileSync(file, "utf8").matchAll(/(?:`|^)make ([a-z][a-z0-9-]*)/gm)].map((match) => match[1]));

    expect(named.filter((target) => !targets.has(target))).toEqual([]);
  });

  it("name only paths that exist", () => {
    const named = readFileSync("README.md", "utf8").matchAll(/`((?:src|webhook|certs|charts|test)\/[\w./-]*|CONTRIBUTING\.md)`/g);

    expect([...named].map((match) => match[1] ?? "").filter((path) => !existsSync(path))).toEqual([]);
  });

  it("list every problem code with its sentence, in src/mesh", () => {
    const table = readFileSync("src/mesh/README.md", "utf8");
    const rows = Object.entries(problemCodes).map(([name, sentence]) => `| \`${name}\` | ${sentence} |`);

    expect(rows.filter((row) => !table.includes(row))).toEqual([]);
  });
});
