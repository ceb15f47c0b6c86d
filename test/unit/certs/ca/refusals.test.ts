import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { refusals } from "../../../../certs/ca/refusals.ts";

describe("the CA's refusals", () => {
  it("are the rows of the README's table", () => {
    const readme = readFileSync(new URL("../../../../certs/ca/README.md", import.meta.url), "utf8");

    const rows = [...readme.matchAll(/^\| `([a-z-]+)` \| ([0-9]{3}) \|/gm)].map(([, code, status]) => [code, Number(status)]);

    expect(rows).toEqual(Object.entries(refusals).map(([code, { status }]) => [code, status]));
  });
});
