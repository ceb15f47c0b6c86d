import { describe, expect, it } from "vitest";
import { IdentityTable, type LineAt } from "../../../src/monitor/identity-table.ts";
import { parseLine } from "../../../src/monitor/statsd.ts";

function at(text: string, before = ""): LineAt {
  const bytes = Buffer.from(before + text);
  const line = parseLine(bytes, before.length, bytes.length);
  if (typeof line === "string") throw new Error(line);
  return { bytes, start: before.length, line };
}

describe("IdentityTable", () => {
  it("tells identities apart by name, type and tags, not by value or place", () => {
    const table = new IdentityTable<string>(10);

    table.set(at("a:1|c|#t:1"), "first");

    expect(table.get(at("a:999|c|@0.5|#t:1", "something before\n"))).toBe("first");
    for (const other of ["b:1|c|#t:1", "a:1|g|#t:1", "a:1|c|#t:2", "a:1|c", "at:1:1|c", "a:1|c|#t:11"]) expect(table.get(at(other))).toBeUndefined();
  });

  it("keeps apart what has one hash", () => {
    const table = new IdentityTable<string>(10);

    // Name and tags are hashed as one text, so these two collide.
    table.set(at("ab:1|c|#c"), "first");
    table.set(at("a:1|c|#bc"), "second");
    table.set(at("ab:1|g|#c"), "third");

    expect([table.get(at("ab:1|c|#c")), table.get(at("a:1|c|#bc")), table.get(at("ab:1|g|#c"))]).toEqual(["first", "second", "third"]);
  });

  it("forgets when it is full, or a chain is long, and goes on", () => {
    const table = new IdentityTable<number>(3);
    const chained = new IdentityTable<number>(100);
    const text = "abcdefghijklmnop";

    for (const [index, name] of ["a", "b", "c", "d"].entries()) table.set(at(`${name}:1|c`), index);
    for (let cut = 1; cut < text.length; cut++) chained.set(at(`${text.slice(0, cut)}:1|c|#${text.slice(cut)}`), cut);

    expect(["a", "b", "c", "d"].map((name) => table.get(at(`${name}:1|c`)))).toEqual([undefined, undefined, undefined, 3]);
    expect(chained.get(at("a:1|c|#bcdefghijklmnop"))).toBeUndefined();
    expect(chained.get(at("abcdefghijklmno:1|c|#p"))).toBe(15);
  });

  it("keeps its own copy of the bytes", () => {
    const table = new IdentityTable<string>(10);
    const line = at("a:1|c");

    table.set(line, "first");
    line.bytes.fill(0);

    expect(table.get(at("a:1|c"))).toBe("first");
  });
});
