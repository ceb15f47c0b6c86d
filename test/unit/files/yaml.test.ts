import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDocuments, readDocuments, unrollList } from "../../../src/files/yaml.ts";

function readScalar(text: string): unknown {
  const [document] = readDocuments(`value: ${text}\n`, "a.yaml").documents;
  return (document as { value: unknown }).value;
}

describe("readDocuments", () => {
  it.each([
    ["yes", true],
    ["y", true],
    ["Off", false],
    ["tRUE", "tRUE"],
    ["0644", 420],
    ["0o644", 420],
    ["08", 8],
    ["1_000", 1000],
    ["12:30", "12:30"],
    ["2020-01-01", "2020-01-01"],
    ["1e3", 1000],
    ["0x1F", 31],
    ["-0x1F", -31],
    ["0b11", 3],
    ["9223372036854775807", 9223372036854775807n],
    ["18446744073709551616", 18446744073709552000],
    ["9007199254740993", 9007199254740993n],
    ["1.0", 1],
    ["1.", 1],
    [".5", 0.5],
    ["-0", 0],
    ["~", null],
    ['"null"', "null"],
    ["=", "="],
    ["1e400", "1e400"],
    ["!!binary aGk=", "hi"],
    ["!!str 12", "12"],
    ["1.2.3", "1.2.3"],
    ["0b12", "0b12"],
    ["10m", "10m"],
  ])("reads %s as kubectl does", (text, value) => {
    expect(readScalar(text)).toEqual(value);
  });

  it("merges maps, and lets the last of equal keys win", () => {
    const text = "a: &a {x: 1, z: 2}\nb: {<<: *a, x: 3}\n8080: n\ndup: 1\ndup: 2\n";

    expect(readDocuments(text, "a.yaml")).toEqual({ documents: [{ a: { x: 1, z: 2 }, b: { x: 3, z: 2 }, "8080": false, dup: 2 }], problems: [] });
  });

  it("passes over empty documents and keeps the good ones around a bad one", () => {
    const text = "a: 1\n--- # comment\n# only a comment\n---\nb: [1\n---\nc: 3\n---\n- 1\n";

    const { documents, problems } = readDocuments(text, "a.yaml");

    expect(documents).toEqual([{ a: 1 }, { c: 3 }]);
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatch(/^a\.yaml: .*line/);
    expect(problems[1]).toBe("a.yaml: a document is a list, not an object");
  });

  it("refuses numbers that JSON cannot say", () => {
    expect(readDocuments("a: {b: .inf}", "a.yaml").problems).toEqual(["a.yaml: a.b is infinite or not a number, which JSON cannot say"]);
  });

  it("reads JSON with exact integers", () => {
    expect(readDocuments('{"a": 9007199254740993, "b": "\\u00e9\\/"}', "a.json").documents).toEqual([{ a: 9007199254740993n, b: "é/" }]);
  });

  it("ends on an alias bomb", () => {
    const levels = Array.from({ length: 12 }, (_, level) => `a${level}: &a${level} [${Array(9).fill(level === 0 ? "x" : `*a${level - 1}`).join(", ")}]`);

    expect(readDocuments(levels.join("\n"), "a.yaml").problems[0]).toMatch(/alias/i);
  });
});

describe("a document's aliases", () => {
  const keys = Array.from({ length: 5000 }, (_, index) => `  k${index}: 1\n`).join("");
  it.each([
    ["one anchor each, many times", Array.from({ length: 20_000 }, (_, index) => `- &a${index} ${index}\n- *a${index}\n`).join("").replace(/^/, "a:\n")],
    ["a large map merged again and again", `x: &x\n${keys}y:\n${"- { <<: *x }\n".repeat(900)}`],
    ["a large text in a list of lists", `a: &a ${"x".repeat(100_000)}\nb: &b [${"*a,".repeat(30)}]\nc: [${"*b,".repeat(30)}]\n`],
  ])("are refused that would take minutes or gigabytes: %s", (_name, text) => {
    expect(readDocuments(text, "a.yaml")).toEqual({ documents: [], problems: ["a.yaml: its aliases stand for more than can be read; write them out, or use fewer"] });
  });

  it.each([["a: &a [*a]\n"], [`a: ${"[".repeat(5000)}`]])("cannot go round, nor anything down, without an end: %.20j", (text) => {
    expect(readDocuments(text, "a.yaml").problems[0]).toMatch(/^a\.yaml: it is nested too deeply, or in a circle/);
  });

  it("are read where they are as many as people write", () => {
    const text = `labels: &l { app: web }\nlist:\n${"- { labels: *l }\n".repeat(500)}`;

    expect(readDocuments(text, "a.yaml").problems).toEqual([]);
  });
});

describe("formatDocuments", () => {
  it("quotes what a YAML 1.1 reader would not take for a string, and keeps exact integers", () => {
    const document = { a: "yes", b: "0644", c: "12:30", d: 9223372036854775807n, e: "1e3", y: "~", f: null, g: "2020-01-01", h: "<<", i: 0.5, j: true, k: "10m", l: "1.2.3", m: "1_0" };

    expect(formatDocuments([document], "yaml")).toBe(
      'a: "yes"\nb: "0644"\nc: "12:30"\nd: 9223372036854775807\ne: "1e3"\n"y": "~"\nf: null\ng: "2020-01-01"\nh: "<<"\ni: 0.5\nj: true\nk: 10m\nl: 1.2.3\nm: "1_0"\n',
    );
  });

  it.each([
    ["a\u0085b", '"a\\u0085b"'],
    ["a\u2028b", '"a\\u2028b"'],
    ["\u007f", '"\\u007f"'],
    ["\ufeff", '"\\ufeff"'],
    ["\ta\n", '"\\ta\\n"'],
    ["a\u0001\n", '"a\\u0001\\n"'],
  ])("escapes what kubectl's reader misreads or refuses: %j", (text, printed) => {
    expect(formatDocuments([{ [text]: text }], "yaml")).toBe(`${printed}: ${printed}\n`);
  });

  it("prints several documents as JSON in one List", () => {
    expect(JSON.parse(formatDocuments([{ a: 1 }, { b: 2 }], "json"))).toEqual({ apiVersion: "v1", kind: "List", items: [{ a: 1 }, { b: 2 }] });
  });

  it("prints an integer that a double cannot hold", () => {
    expect(formatDocuments([{ a: 9223372036854775807n }], "json")).toBe('{\n  "a": 9223372036854775807\n}\n');
  });

  it.each(["yaml", "json"] as const)("prints %s that reads back the same, whatever the values", (format) => {
    const tricky = fc.constantFrom("yes", "n", "0o17", "1_0", "0b1", ".5", "<<", "=", "", " ", "a: b", "- a", "#c", "1e3", "---", "null", "\t", "&a", "é\u2028");
    const values = fc.oneof(fc.string({ unit: "binary" }), tricky, fc.integer(), fc.boolean(), fc.constant(null), fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }));
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 3 }, values, fc.array(tie("tree"), { maxLength: 4 }), fc.dictionary(fc.oneof(tricky, fc.string()), tie("tree"), { maxKeys: 4, noNullPrototype: true })),
    }));

    fc.assert(
      fc.property(fc.dictionary(fc.oneof(tricky, fc.string()), tree, { noNullPrototype: true }), (document) => {
        expect(readDocuments(formatDocuments([document], format), "a")).toEqual({ documents: [document], problems: [] });
      }),
    );
  });
});

describe("an alias", () => {
  it("is a copy of what its anchor holds: changing one does not change the other", () => {
    const { documents } = readDocuments("a: &a { deep: [{ x: 1 }] }\nb: *a\nc: { <<: *a }\n", "f");
    const [{ a, b, c }] = documents as [Record<string, { deep: [{ x: number }] }>];

    expect([b, c]).toEqual([{ deep: [{ x: 1 }] }, { deep: [{ x: 1 }] }]);
    expect(new Set([a?.deep, b?.deep, c?.deep]).size).toBe(3);
    expect(new Set([a?.deep[0], b?.deep[0], c?.deep[0]]).size).toBe(3);
  });
});

describe("unrollList", () => {
  it("unrolls lists of any kind, nested ones too", () => {
    const list = { kind: "List", items: [{ kind: "Pod" }, { kind: "ServiceList", items: [{ kind: "Service" }] }] };

    expect(unrollList(list)).toEqual([{ kind: "Pod" }, { kind: "Service" }]);
  });
});
