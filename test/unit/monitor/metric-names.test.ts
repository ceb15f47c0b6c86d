import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { unknownInbound } from "../../../src/envoy/names.ts";
import { formatStatName } from "../../../src/std/stat-name.ts";
import { dropReasons } from "../../../src/monitor/drop-reasons.ts";
import { metricOf, type Metric } from "../../../src/monitor/metric-names.ts";
import { envoyRows, families } from "../../../src/monitor/metric-table.ts";
import type { StatsdType } from "../../../src/monitor/statsd.ts";

function name(text: string, type: StatsdType, tags = ""): string {
  const metric = metricOf({ name: text, type, tags });
  return typeof metric === "string" ? metric : show(metric);
}

function show({ family, labels, divisor }: Metric): string {
  const text = labels.map(([key, value]) => `${key}=${value}`).join(",");
  return `${family.type} ${family.name}{${text}}${divisor === 1 ? "" : ` /${divisor}`}`;
}

describe("Envoy's lines", () => {
  const out = "destination_namespace=shop,destination_service=web,direction=outbound,port=80";
  it.each<[string, StatsdType, string]>([
    ["envoy.http.inbound_8080.downstream_rq_2xx", "c", "counter weft_requests_total{code_class=2xx,direction=inbound,port=8080}"],
    ["envoy.http.inbound_8080.downstream_rq_time", "ms", "histogram weft_request_duration_seconds{direction=inbound,port=8080} /1000"],
    ["envoy.cluster.outbound_web_shop_80.upstream_rq_200", "c", `counter weft_requests_total{code=200,code_class=2xx,${out}}`],
    ["envoy.cluster.outbound_web_shop_80.upstream_rq_503", "c", `counter weft_requests_total{code=503,code_class=5xx,${out}}`],
    ["envoy.cluster.outbound_web_shop_80.upstream_rq_time", "ms", `histogram weft_request_duration_seconds{${out}} /1000`],
    ["envoy.cluster.outbound_web_shop_80.upstream_rq_body_size", "ms", `histogram weft_request_size_bytes{${out}}`],
    ["envoy.cluster.outbound_web_shop_80.upstream_cx_active", "g", `gauge weft_connections_active{${out}}`],
    ["envoy.cluster.passthrough.upstream_cx_tx_bytes_total", "c", "counter weft_sent_bytes_total{direction=passthrough}"],
    ["envoy.tcp.inbound_5432.downstream_cx_rx_bytes_total", "c", "counter weft_received_bytes_total{direction=inbound,port=5432}"],
    ["envoy.http.inbound_unknown.downstream_rq_2xx", "c", "counter weft_requests_total{code_class=2xx,direction=inbound}"],
    ["envoy.server.live", "g", "gauge weft_proxy_live{}"],
    ["envoy.control_plane.connected_state", "g", "gauge weft_proxy_controller_connected{}"],
    // Redundant beside the codes; internal; not ours; not a code; another type than Envoy's.
    ["envoy.cluster.outbound_web_shop_80.upstream_rq_2xx", "c", "unmapped"],
    ["envoy.cluster.outbound_web_shop_80.external.upstream_rq_200", "c", "unmapped"],
    ["envoy.http.outbound_80.downstream_rq_2xx", "c", "unmapped"],
    ["envoy.cluster.inbound_8080.upstream_rq_200", "c", "unmapped"],
    ["envoy.cluster.outbound_web_shop_80.upstream_rq_0", "c", "unmapped"],
    ["envoy.cluster.outbound_web_shop_80.upstream_rq_toString", "c", "unmapped"],
    ["envoy.cluster.weft-controller.upstream_rq_200", "c", "unmapped"],
    ["envoy.listener.127.0.0.1_15001.downstream_cx_total", "c", "unmapped"],
    ["envoy.", "c", "unmapped"],
    ["envoy.http.inbound_8080.downstream_rq_2xx", "g", "type_conflict"],
  ])("%s|%s is %s", (text, type, expected) => {
    expect(name(text, type)).toBe(expected);
  });

  it("knows the generator's name of unknown ports", () => {
    expect(name(`envoy.tcp.${unknownInbound}.downstream_cx_total`, "c")).toBe("counter weft_connections_total{direction=inbound}");
  });

  it("reads what the generator's names are made by", () => {
    const prefix = formatStatName({ direction: "outbound", namespace: "book-store", service: "v-2", port: 65535 });

    expect(name(`envoy.cluster.${prefix}.upstream_rq_404`, "c")).toBe(
      "counter weft_requests_total{code=404,code_class=4xx,destination_namespace=book-store,destination_service=v-2,direction=outbound,port=65535}",
    );
  });
});

describe("an application's lines", () => {
  it("drops a line whose tags grow by colliding", () => {
    // `a#`, `a$` … `z~`: thirteen of each letter become one name.
    const letters = [..."abcdefghijklmnopqrstuvwxyz"];
    const tags = letters.flatMap((letter) => [..."!#$%&'()*+-./"].map((sign) => `${letter}${sign}`)).slice(0, 340);

    expect(tags.join(",").length).toBeLessThan(1024);
    expect(name("bomb", "c", tags.join(","))).toBe("identity_too_long");
  });

  it.each<[string, StatsdType, string, string]>([
    ["my.app-x", "c", "", "counter my_app_x_total{}"],
    ["jobs_total", "c", "", "counter jobs_total{}"],
    ["9.depth", "g", "", "gauge _9_depth{}"],
    ["page.time", "ms", "path:/a:b,bare", "histogram page_time_seconds{bare=true,path=/a:b} /1000"],
    ["size", "h", "", "histogram size{}"],
    ["size", "d", "", "histogram size{}"],
    ["a", "c", "x:,:y,x:1,__name__:z,le:5", "counter a_total{_name__=z,exported_le=5}"],
    ["a", "g", 'q:"\n\\', 'gauge a{q="\n\\}'],
    ["a", "g", "__proto__:1", "gauge a{_proto__=1}"],
    ["weft_requests_total", "c", "", "name_reserved"],
    ["weft.requests", "c", "", "name_reserved"],
    ["envoyish", "c", "", "counter envoyish_total{}"],
  ])("%s|%s|#%s is %s", (...[text, type, tags, expected]) => {
    expect(name(text, type, tags)).toBe(expected);
  });
});

describe("README.md of src/monitor", () => {
  const readme = readFileSync(new URL("../../../src/monitor/README.md", import.meta.url), "utf8");
  function table(title: string): string[] {
    const part = new RegExp(`<!-- ${title}:.*?-->\n([^]*?)\n<!-- end -->`).exec(readme)?.[1] ?? "";
    return part.split("\n").slice(2);
  }

  it("has the metrics of the table", () => {
    const rows = Object.entries(families).map(([metric, { type, help }]) => {
      const from = [...envoyRows].filter(([, row]) => row.metric === metric).map(([key]) => `\`${key}\``);
      return `| \`${metric}\` | ${type} | ${from.join(", ")} | ${help} |`;
    });

    expect(table("metrics")).toEqual(rows);
  });

  it("has the reasons of the table", () => {
    expect(table("reasons")).toEqual(Object.entries(dropReasons).map(([reason, sentence]) => `| \`${reason}\` | ${sentence} |`));
  });
});

describe("the table", () => {
  it("gives each metric the type that its lines have", () => {
    const wrong = [...envoyRows].filter(([, { metric, statsd }]) => families[metric].type !== ({ c: "counter", g: "gauge", ms: "histogram" } as const)[statsd]);

    expect(wrong).toEqual([]);
  });
});
