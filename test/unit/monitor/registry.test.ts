import { describe, expect, it } from "vitest";
import { formatFamilies } from "../../../src/monitor/exposition.ts";
import { createIngest } from "../../../src/monitor/ingest.ts";
import type { Labels } from "../../../src/monitor/labels.ts";
import { Registry } from "../../../src/monitor/registry.ts";

/** A registry fed with lines, and a clock that the test moves. */
function start({ maxSeries = 100, ttlMs = 600_000 } = {}) {
  const clock = { now: 0 };
  const registry = new Registry({ maxSeries, ttlMs, now: () => clock.now });
  const ingest = createIngest(registry, maxSeries * 2);
  function text(constant: Labels = []): string {
    return registry
      .collect()
      .filter(({ family }) => !family.name.startsWith("weft_adapter_"))
      .map((family) => [...formatFamilies([family], constant)].join(""))
      .join("");
  }
  /** The samples alone. */
  function samples(constant?: Labels): string[] {
    return text(constant).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  }
  /** Reasons with what they count, without those that count nothing. */
  function dropped(): Record<string, number> {
    const family = registry.collect().find((one) => one.family.name === "weft_adapter_dropped_total");
    const counts = (family?.series ?? []).map(({ labels, value }) => [labels[0]?.[1] ?? "", value as number] as const);
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }
  return { clock, registry, text, samples, dropped, send: (...lines: string[]) => ingest.packet(Buffer.from(lines.join("\n"))) };
}

describe("values", () => {
  it("adds counters up, by sample rate", () => {
    const { send, samples } = start();

    send("a:1|c", "a:2|c|@0.5", "a:0|c");

    expect(samples()).toEqual(["a_total 5"]);
  });

  it("sets and steps gauges", () => {
    const { send, samples } = start();

    send("a:+5|g", "b:7|g", "b:-10|g", "c:3|g", "c:2|g");

    expect(samples()).toEqual(["a 5", "b -3", "c 2"]);
  });

  it("puts a timer into seconds, at its bucket's upper bound", () => {
    const { send, samples } = start();

    send("t:5:5000:99999|ms", "t:250|ms|@0.5");

    expect(samples()).toEqual([
      't_seconds_bucket{le="0.001"} 0',
      't_seconds_bucket{le="0.0025"} 0',
      't_seconds_bucket{le="0.005"} 1',
      't_seconds_bucket{le="0.01"} 1',
      't_seconds_bucket{le="0.025"} 1',
      't_seconds_bucket{le="0.05"} 1',
      't_seconds_bucket{le="0.1"} 1',
      't_seconds_bucket{le="0.25"} 3',
      't_seconds_bucket{le="0.5"} 3',
      't_seconds_bucket{le="1"} 3',
      't_seconds_bucket{le="2.5"} 3',
      't_seconds_bucket{le="5"} 4',
      't_seconds_bucket{le="10"} 4',
      't_seconds_bucket{le="+Inf"} 5',
      "t_seconds_sum 105.504",
      "t_seconds_count 5",
    ]);
  });

  it("makes one series of tags in any order", () => {
    const { send, samples } = start();

    send("a:1|c|#x:1,y:2", "a:1|c|#y:2,x:1");

    expect(samples()).toEqual(['a_total{x="1",y="2"} 2']);
  });

  it("adds what Envoy counts in two places", () => {
    const { send, samples } = start();

    send("envoy.http.inbound_80.downstream_cx_total:2|c", "envoy.tcp.inbound_80.downstream_cx_total:3|c");

    expect(samples()).toEqual(['weft_connections_total{direction="inbound",port="80"} 5']);
  });
});

describe("what does not count", () => {
  it("is counted by reason, and the rest goes on", () => {
    const { send, samples, dropped } = start();

    send("junk", "a:1|c", "a:-1|c", "a:nan|c", "a:1|s", "a:1|c|@2", "envoy.x.y:1|c", "weft_a:1|c", `${"x".repeat(5000)}`, `${"x".repeat(2000)}:1|c`, "a:1|c");

    expect(samples()).toEqual(["a_total 2"]);
    expect(dropped()).toEqual({
      identity_too_long: 1,
      line_too_long: 1,
      malformed: 1,
      name_reserved: 1,
      sample_rate_invalid: 1,
      type_unsupported: 1,
      unmapped: 1,
      value_invalid: 1,
      value_negative: 1,
    });
  });

  it("keeps a sum that would become infinite as it was", () => {
    const { send, samples, dropped } = start();

    send("a:1e308|c", "a:1e308|c", "b:1e308|g", "b:+1e308|g", "c:1|c|@1e-320");

    expect(samples()).toEqual(["a_total 1e+308", "b 1e+308", "c_total 0"]);
    expect(dropped()).toEqual({ value_invalid: 3 });
  });

  it.each([
    ["a counter's and a gauge's", ["a:1|c", "a_total:1|g"], ["a_total 1"]],
    ["a histogram's samples and a gauge's", ["a:1|h", "a_count:7|g"], ["a_sum 1", "a_count 1"]],
    ["a gauge's and a histogram's samples", ["a_sum:1|g", "a:1|h"], ["a_sum 1"]],
  ])("tells %s name apart as a conflict", (_, lines, expected) => {
    const { send, samples, dropped } = start();

    send(...lines);

    expect(dropped()).toEqual({ type_conflict: 1 });
    expect(samples().filter((line) => !line.startsWith("a_bucket"))).toEqual(expected);
  });

  it("takes a name again once the series of another type is gone", () => {
    const { clock, send, samples } = start({ ttlMs: 1000 });

    send("a_total:1|g", "a:1|c");
    clock.now = 1001;
    expect(samples()).toEqual([]);
    send("a:1|c");

    expect(samples()).toEqual(["a_total 1"]);
  });
});

describe("bounds", () => {
  it("caps the series, and still counts those it has", () => {
    const { send, samples, dropped, registry } = start({ maxSeries: 2 });

    send("a:1|c", "b:1|c", "c:1|c", "d:1|c", "a:1|c");

    expect(samples()).toEqual(["a_total 2", "b_total 1"]);
    expect(dropped()).toEqual({ series_limit: 2 });
    expect(registry.size).toBe(2);
  });

  it("lets a series go after the TTL, and makes room by it", () => {
    const { clock, send, samples } = start({ maxSeries: 2, ttlMs: 1000 });

    send("a:1|c", "b:1|c");
    clock.now = 900;
    send("b:1|c");
    clock.now = 1900;
    send("c:1|c", "a:5|c");

    expect(samples()).toEqual(["b_total 2", "c_total 1"]);
    clock.now = 2950;
    expect(samples()).toEqual([]);
  });

  it("begins a series anew after it expired", () => {
    const { clock, send, samples } = start({ ttlMs: 1000 });

    send("a:7|c");
    clock.now = 5000;
    expect(samples()).toEqual([]);
    send("a:1|c");

    expect(samples()).toEqual(["a_total 1"]);
  });

  it("keeps a series for ever with a TTL of 0", () => {
    const { clock, send, samples } = start({ ttlMs: 0 });

    send("a:1|c");
    clock.now = 1e12;

    expect(samples()).toEqual(["a_total 1"]);
  });

  it("survives a million different names", () => {
    const { send, registry, dropped } = start({ maxSeries: 50 });

    for (let batch = 0; batch < 100; batch++) send(...Array.from({ length: 10_000 }, (_, index) => `n${batch}_${index}:1|c`));

    expect(registry.size).toBe(50);
    expect(dropped()).toEqual({ series_limit: 999_950 });
  });
});

describe("text", () => {
  it("escapes values and help, sorts, and joins constant labels", () => {
    const { send, text } = start();

    send('b:1|g|#q:"a\\b,z:1', "a\\x:1|c|#pod:forged");

    expect(text([["pod", "web-1"], ["version", 'x"y\n']])).toBe(
      [
        "# HELP a_x_total Statsd counter a\\\\x.",
        "# TYPE a_x_total counter",
        'a_x_total{exported_pod="forged",pod="web-1",version="x\\"y\\n"} 1',
        "# HELP b Statsd gauge b.",
        "# TYPE b gauge",
        'b{pod="web-1",q="\\"a\\\\b",version="x\\"y\\n",z="1"} 1',
        "",
      ].join("\n"),
    );
  });
});
