import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { labelName, labelsOf, mergeLabels } from "../../../src/monitor/labels.ts";

describe("labelName", () => {
  it.each([
    ["app", "app"],
    ["app.kubernetes.io/name", "app_kubernetes_io_name"],
    ["9lives", "_9lives"],
    ["", "_"],
    ["é", "_"],
    ["__name__", "_name__"],
    ["le", "exported_le"],
    ["quantile", "exported_quantile"],
    ['a"b\nc', "a_b_c"],
  ])("makes of %j %s", (text, expected) => {
    expect(labelName(text)).toBe(expected);
  });

  it("is always a name that Prometheus takes", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(labelName(text)).toMatch(/^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/);
      }),
    );
  });
});

describe("labelsOf", () => {
  it("sorts, leaves out empty values, and keeps both of two names that become one", () => {
    expect(labelsOf({ b: "1", a: "", "x/y": "slash", "x.y": "dot" })).toEqual([
      ["b", "1"],
      ["exported_x_y", "slash"],
      ["x_y", "dot"],
    ]);
  });

  it("keeps nine of the names that become one", () => {
    const keys = ["a!", "a#", "a$", "a%", "a&", "a(", "a)", "a*", "a+", "a,", "a-"];
    const labels = labelsOf(Object.fromEntries(keys.map((key) => [key, key])));

    expect(labels.map(([, value]) => value).sort()).toEqual(["a!", "a#", "a$", "a%", "a&", "a(", "a)", "a*", "a+"]);
    expect(Math.max(...labels.map(([name]) => name.length))).toBe(74);
  });
});

describe("mergeLabels", () => {
  it.each([
    ["nothing in common", [["a", "1"]], [["pod", "p"]], [["a", "1"], ["pod", "p"]]],
    ["a forged pod", [["pod", "mine"]], [["pod", "p"]], [["exported_pod", "mine"], ["pod", "p"]]],
    ["a forged exported_pod", [["exported_pod", "mine"]], [["pod", "p"]], [["exported_exported_pod", "mine"], ["pod", "p"]]],
    ["a bucket's bound beside a chosen le", [["le", "0.5"]], [["exported_le", "x"]], [["exported_le", "x"], ["le", "0.5"]]],
    ["no constant labels", [["exported_a", "1"]], [], [["exported_a", "1"]]],
  ] as const)("joins %s", (...[, own, constant, expected]) => {
    expect(mergeLabels(own, constant)).toEqual(expected);
  });

  it("never makes two series one, and keeps the constant labels as they are", () => {
    const name = fc.constantFrom("a", "exported_a", "exported_exported_a", "z", "exported_z", "le", "exported_", "exported_exported_", "exported_le");
    const labels = fc.dictionary(name, fc.constantFrom("1", "2")).map((entries) => Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
    const constants = labels.map((entries) => entries.filter(([key]) => key !== "le"));
    fc.assert(
      fc.property(labels, labels, constants, (one, two, constant) => {
        const merged = [mergeLabels(one, constant), mergeLabels(two, constant)];

        expect(JSON.stringify(merged[0]) === JSON.stringify(merged[1])).toBe(JSON.stringify(one) === JSON.stringify(two));
        expect(merged[0]).toEqual(expect.arrayContaining(constant));
        expect(merged[0]).toHaveLength(one.length + constant.length);
      }),
      { numRuns: 3000 },
    );
  });
});
