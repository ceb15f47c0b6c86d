import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { relabel, relabelSteps } from "../../../src/monitor/exposition-parser.ts";
import { formatFamilies } from "../../../src/monitor/exposition.ts";
import type { Labels } from "../../../src/monitor/labels.ts";
import { mergeAnswers, type PodAnswer } from "../../../src/monitor/merge.ts";

function answer(pod: string, text: string): PodAnswer {
  const labels: Labels = [["pod", pod]];
  const families = relabel(text, labels);
  if ("reason" in families) throw new Error(families.reason);
  return { labels, families };
}

describe("relabel", () => {
  it("adds labels, and moves those of the series' own that are taken", () => {
    const text = '# HELP a What \\\\ it is.\n# TYPE a counter\na{pod="x",z="\\"\\n\\\\"} 1\na 2 1700000000\n# a comment\n\nb{,} 1';

    expect(relabel(text.replace("{,}", "{}"), [["pod", "p"]])).toEqual([
      { name: "a", type: "counter", help: "What \\ it is.", samples: 'a{exported_pod="x",pod="p",z="\\"\\n\\\\"} 1\na{pod="p"} 2 1700000000\n' },
      { name: "b", type: "untyped", help: "", samples: 'b{pod="p"} 1\n' },
    ]);
  });

  it.each([
    ["<html>"],
    ["a"],
    ["a one"],
    ['a{x="1} 1'],
    ['a{x=1} 1'],
    ['a{x="1"y="2"} 1'],
    ["a{ 1"],
    ["a{?  1"],
    ["a 1 2 3"],
    ["1a 1"],
    ['a{x="1"} 1 # {} 1'],
    ['# TYPE a counter\na{x="1"} 0x10'],
  ])("refuses %j", (text) => {
    expect(relabel(text, [])).toEqual({ line: text.split("\n").length, reason: "this is no sample of Prometheus's text format" });
  });

  it("takes every text that the adapter gives, as it was", () => {
    const series = fc.record({ labels: fc.string().map((value): Labels => [["l", value]]), value: fc.double({ noNaN: true }) });
    fc.assert(
      fc.property(fc.array(series, { minLength: 1 }), (all) => {
        const text = [...formatFamilies([{ family: { name: "a", type: "gauge", help: "h", buckets: [] }, series: all }], [])].join("");

        expect(relabel(text, [])).toEqual([{ name: "a", type: "gauge", help: "h", samples: text.replace(/^#.*\n#.*\n/, "") }]);
      }),
    );
  });

  // Trying each pair of lengths would take minutes, and the test's timeout would tell.
  it("reads a line of many digits once", () => {
    expect(relabel(`a 1\na ${"1".repeat(200_000)}x`, [])).toEqual({ line: 2, reason: "this is no sample of Prometheus's text format" });
  });

  it.each([["1."], [".5"], ["1.5e3"], ["1E-3"], ["+1"], ["-.5"], ["NaN"], ["+Inf"], ["007"]])("takes the value %s as it stands", (value) => {
    expect(relabel(`a ${value}`, [])).toEqual([{ name: "a", type: "untyped", help: "", samples: `a ${value}\n` }]);
  });

  it("pauses after each 2,000 lines, so that others are served", () => {
    expect([...relabelSteps("a 1\n".repeat(10_000), [])]).toHaveLength(5);
  });

  it("refuses more lines than an adapter can have", () => {
    expect(relabel("a 1\n".repeat(250_001), [])).toEqual({ line: 250_001, reason: "there are more than 250000 lines" });
  });

  it("refuses what labels would make too long", () => {
    const refused = relabel("a 1\n".repeat(200_000), [["pod", "p".repeat(250)]]);

    expect(refused).toMatchObject({ reason: "with its labels the text is longer than 33554432 bytes" });
  });

  it("never throws, whatever a pod sends", () => {
    const part = fc.constantFrom("a", "{", "}", '"', "\\", ",", "=", " ", "\n", "# TYPE a gauge", "# HELP", "1");
    const parts = fc.array(part).map((all) => all.join(""));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), parts), (text) => {
        expect(relabel(text, [["a", "b"]])).toBeDefined();
      }),
    );
  });
});

describe("mergeAnswers", () => {
  it("gives each family once, and tells of pods that did not answer", () => {
    const answers = [
      answer("p1", "# HELP b B.\n# TYPE b counter\nb 1\n# HELP a A.\n# TYPE a gauge\na 1\n"),
      { labels: [["pod", "p2"]] as const, families: undefined },
      answer("p3", "# HELP a Other.\n# TYPE a gauge\na 3\n# TYPE b gauge\nb 3\n# TYPE weft_scrape_up gauge\nweft_scrape_up 1\n"),
    ];

    expect([...mergeAnswers(answers)].join("")).toBe(
      [
        "# HELP a A.",
        "# TYPE a gauge",
        'a{pod="p1"} 1',
        'a{pod="p3"} 3',
        "# HELP b B.",
        "# TYPE b counter",
        'b{pod="p1"} 1',
        "# HELP weft_scrape_families_dropped Metrics of the pod left out because another pod has one of that name and another type.",
        "# TYPE weft_scrape_families_dropped gauge",
        'weft_scrape_families_dropped{pod="p1"} 0',
        'weft_scrape_families_dropped{pod="p2"} 0',
        'weft_scrape_families_dropped{pod="p3"} 2',
        "# HELP weft_scrape_up 1 when the pod's metrics were read, 0 when it did not answer or not in Prometheus's format.",
        "# TYPE weft_scrape_up gauge",
        'weft_scrape_up{pod="p1"} 1',
        'weft_scrape_up{pod="p2"} 0',
        'weft_scrape_up{pod="p3"} 1',
        "",
      ].join("\n"),
    );
  });

  it("keeps weft's own metrics for those who give them their type", () => {
    const answers = [answer("bad", "# TYPE weft_requests_total gauge\nweft_requests_total 1\n"), answer("good", "# TYPE weft_requests_total counter\nweft_requests_total 2\n")];

    const text = [...mergeAnswers(answers)].join("");

    expect(text).toContain('# TYPE weft_requests_total counter\nweft_requests_total{pod="good"} 2\n');
    expect(text).toContain('weft_scrape_families_dropped{pod="bad"} 1\nweft_scrape_families_dropped{pod="good"} 0\n');
  });
});
