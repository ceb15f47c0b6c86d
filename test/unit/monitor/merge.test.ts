import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { relabel } from "../../../src/monitor/exposition-parser.ts";
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
});
