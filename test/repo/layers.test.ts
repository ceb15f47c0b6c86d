import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import config, { mayImport } from "../../.dependency-cruiser.mjs";

describe("the layer table of src/README.md", () => {
  it("says what the dependency rules say", () => {
    const rows = readFileSync("src/README.md", "utf8").split("\n").filter((line) => /^\| `(src|webhook|certs)\//.test(line));
    const table = Object.fromEntries(rows.slice(0, Object.keys(mayImport).length).map((row) => {
      const [, layer = "", below = ""] = row.split("|");
      return [code(layer)[0], code(below)];
    }));

    expect(table).toEqual(mayImport);
  });

  it("is enforced: each layer has a rule that is an error", () => {
    const rules = new Map(config.forbidden.map((rule: { name: string; severity: string }) => [rule.name, rule.severity]));

    for (const layer of Object.keys(mayImport)) expect(rules.get(`layer ${layer}`)).toBe("error");
  });
});

function code(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "");
}
