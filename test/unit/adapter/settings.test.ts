import fc from "fast-check";
import { Check } from "typebox/value";
import { describe, expect, it } from "vitest";
import { isSettings } from "../../../src/adapter/settings.ts";
import { WorkloadSettings } from "../../../src/api/certificates.ts";

describe("isSettings", () => {
  it.each([
    [{ metricLabels: {}, subjectNames: [] }, true],
    [{ metricLabels: { a: "b" }, subjectNames: ["c"], more: 1 }, true],
    [{ metricLabels: { a: 1 }, subjectNames: [] }, false],
    [{ metricLabels: [], subjectNames: [] }, false],
    [{ metricLabels: {}, subjectNames: [1] }, false],
    [{ metricLabels: {} }, false],
    [null, false],
    ["text", false],
  ])("says of %j: %s", (value, expected) => {
    expect(isSettings(value)).toBe(expected);
  });

  it("says what the schema says", () => {
    const labels = fc.oneof(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer())), fc.array(fc.string()), fc.constant(null));
    const names = fc.oneof(fc.array(fc.oneof(fc.string(), fc.constant(null))), fc.object());
    const settings = fc.record({ metricLabels: labels, subjectNames: names }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.oneof(settings, fc.jsonValue()), (value) => {
        expect(isSettings(value)).toBe(Check(WorkloadSettings, value));
      }),
      { numRuns: 1000 },
    );
  });
});
