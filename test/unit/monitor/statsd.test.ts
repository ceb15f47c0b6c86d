import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLineSplitter, parseLine } from "../../../src/monitor/statsd.ts";

function parse(text: string): unknown {
  const bytes = Buffer.from(text);
  const line = parseLine(bytes, 0, bytes.length);
  if (typeof line === "string") return line;
  const { nameEnd, tagsStart, tagsEnd, ...rest } = line;
  return { name: bytes.toString("utf8", 0, nameEnd), tags: bytes.toString("utf8", tagsStart, tagsEnd), ...rest };
}

function value(amount: number, relative = false) {
  return { amount, relative };
}

describe("parseLine", () => {
  it.each([
    ["a:1|c", { name: "a", type: "c", values: [value(1)], rate: 1, tags: "" }],
    ["a.b:0|c", { name: "a.b", type: "c", values: [value(0)], rate: 1, tags: "" }],
    ["a:1.5|c|@0.5", { name: "a", type: "c", values: [value(1.5)], rate: 0.5, tags: "" }],
    ["a:-3|g", { name: "a", type: "g", values: [value(-3, true)], rate: 1, tags: "" }],
    ["a:+3|g", { name: "a", type: "g", values: [value(3, true)], rate: 1, tags: "" }],
    ["a:3|g", { name: "a", type: "g", values: [value(3)], rate: 1, tags: "" }],
    ["a:12|ms|@0.1|#k:v,bare", { name: "a", type: "ms", values: [value(12)], rate: 0.1, tags: "k:v,bare" }],
    ["a:12|ms|#k:v|@0.1", { name: "a", type: "ms", values: [value(12)], rate: 0.1, tags: "k:v" }],
    ["a:1:2:3|h", { name: "a", type: "h", values: [value(1), value(2), value(3)], rate: 1, tags: "" }],
    ["a:-1|d", { name: "a", type: "d", values: [value(-1)], rate: 1, tags: "" }],
    ["a:.5:5.:0.1:123456.789|d", { name: "a", type: "d", values: [value(0.5), value(5), value(0.1), value(123456.789)], rate: 1, tags: "" }],
    ["a:1e3|d", { name: "a", type: "d", values: [value(1000)], rate: 1, tags: "" }],
    ["a:9007199254740993|c", { name: "a", type: "c", values: [value(9007199254740992)], rate: 1, tags: "" }],
    ["a:1|c|#t:1|c:container|T1656581400", { name: "a", type: "c", values: [value(1)], rate: 1, tags: "t:1" }],
    ["é:1|c|#ü:ß", { name: "é", type: "c", values: [value(1)], rate: 1, tags: "ü:ß" }],
    ["a:1|c|", { name: "a", type: "c", values: [value(1)], rate: 1, tags: "" }],
  ])("reads %s", (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it.each([
    ["junk", "malformed"],
    ["a|c", "malformed"],
    ["a|c:1", "malformed"],
    [":1|c", "malformed"],
    ["a:1", "malformed"],
    ["a:|c", "malformed"],
    ["a:1::2|h", "malformed"],
    ["a:1|", "type_unsupported"],
    ["a:1|s", "type_unsupported"],
    ["a:1|mss", "type_unsupported"],
    ["_e{1,1}:a|b", "type_unsupported"],
    ["a:nan|g", "value_invalid"],
    ["a:Inf|g", "value_invalid"],
    ["a:1e999|c", "value_invalid"],
    ["a:0x10|c", "value_invalid"],
    ["a: 1|c", "value_invalid"],
    ["a:--1|g", "value_invalid"],
    ["a:.|g", "value_invalid"],
    ["a:1.2.3|g", "value_invalid"],
    [`a:${"1".repeat(65)}|c`, "value_invalid"],
    ["a:-1|c", "value_negative"],
    ["a:-1|ms", "value_negative"],
    ["a:1|c|@0", "sample_rate_invalid"],
    ["a:1|c|@1.1", "sample_rate_invalid"],
    ["a:1|c|@", "sample_rate_invalid"],
    ["a:1|c|@x", "sample_rate_invalid"],
    [`${"a".repeat(1025)}:1|c`, "identity_too_long"],
    [`a:1|c|#${"t".repeat(1024)}`, "identity_too_long"],
  ])("refuses %s as %s", (text, reason) => {
    expect(parse(text)).toBe(reason);
  });

  it("reads decimal numbers as JavaScript does", () => {
    const digits = fc.stringMatching(/^[0-9]{1,9}(\.[0-9]{0,8})?$/);
    fc.assert(
      fc.property(digits, (text) => {
        expect(parse(`a:${text}|d`)).toMatchObject({ values: [value(Number(text))] });
      }),
      { numRuns: 2000 },
    );
  });

  it("never throws, whatever the bytes, and keeps its offsets inside", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), lineLike()), (bytes) => {
        const line = parseLine(bytes, 0, bytes.length);

        if (typeof line === "string") return;
        expect(line.nameEnd).toBeGreaterThan(0);
        expect(line.tagsStart).toBeLessThanOrEqual(line.tagsEnd);
        expect(line.tagsEnd).toBeLessThanOrEqual(bytes.length);
        expect(line.values.every(({ amount }) => Number.isFinite(amount))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("createLineSplitter", () => {
  it.each([
    ["lines over chunks", ["a:1|c\nb:", "2|c\n"], ["a:1|c", "b:2|c"]],
    ["a last line without a newline", ["a:1|c"], ["a:1|c"]],
    ["carriage returns and empty lines", ["a:1|c\r\n\r\n\nb:1|c\r", "\n"], ["a:1|c", "b:1|c"]],
    ["a line as long as may be", [`${"x".repeat(4096)}\n`], ["x".repeat(4096)]],
    ["a line that is too long, in one chunk", [`${"x".repeat(4097)}\nb:1|c\n`], ["too long", "b:1|c"]],
    ["a line that is too long, over chunks", ["x".repeat(4000), "x".repeat(97), "x".repeat(9000), "\nb:1|c\n"], ["too long", "b:1|c"]],
    ["an end without a newline that is too long", ["x".repeat(5000)], ["too long"]],
  ])("cuts %s", (_, chunks, expected) => {
    expect(split(chunks.map((chunk) => Buffer.from(chunk)))).toEqual(expected);
  });

  it("gives the same lines wherever the stream is cut", () => {
    const text = fc.array(fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom("y".repeat(4095), "x".repeat(5000), "\r"))).map((lines) => lines.join("\n"));
    fc.assert(
      fc.property(text, fc.array(fc.nat(12_000)), (stream, cuts) => {
        const bytes = Buffer.from(stream);
        const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));

        expect(split(chunks)).toEqual(split([bytes]));
      }),
      { numRuns: 500 },
    );
  });
});

function split(chunks: readonly Uint8Array[]): string[] {
  const lines: string[] = [];
  const splitter = createLineSplitter(
    (bytes, start, end) => lines.push(Buffer.from(bytes.subarray(start, end)).toString("utf8")),
    () => lines.push("too long"),
  );
  for (const chunk of chunks) splitter.write(chunk);
  splitter.end();
  return lines;
}

function lineLike(): fc.Arbitrary<Uint8Array> {
  const part = fc.constantFrom(":", "|", "c", "ms", "g", "1", "-2", "+", "@", "#", "0.5", "a", ",", "NaN", "e9", "\u0000", "é");
  return fc.array(part, { maxLength: 12 }).map((parts) => Buffer.from(parts.join("")));
}
