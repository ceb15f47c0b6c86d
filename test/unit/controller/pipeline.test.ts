import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { meshConfigDefaults } from "../../../src/api/mesh-config-defaults.ts";
import { startPipeline, type Pipeline } from "../../../src/controller/pipeline.ts";
import { byKey, MemorySource, podOf, serviceOf } from "./sample.ts";

describe("the pipeline", () => {
  let pipeline: Pipeline;
  afterEach(() => pipeline.stop());

  async function start(source: MemorySource): Promise<void> {
    pipeline = await startPipeline({ source, config: () => meshConfigDefaults, logger: pino({ level: "silent" }) });
  }

  function published(): Promise<void> {
    return new Promise((resolve) => pipeline.onPublish(() => resolve()));
  }

  it("makes the resources of a proxy of the mesh, and of no one else", async () => {
    await start(new MemorySource({ Pod: byKey(podOf("shop", "web-1"), podOf("shop", "outside", { containers: ["app"] })) }));

    expect([...(pipeline.current().resources("shop/web-1")?.listener.keys() ?? [])]).toEqual(["inbound", "outbound"]);
    expect(pipeline.current().resources("shop/outside")).toBeUndefined();
    expect(pipeline.current().resources("shop/nobody")).toBeUndefined();
  });

  it("keeps the same objects when a change does not concern a proxy", async () => {
    const source = new MemorySource({ Pod: byKey(podOf("shop", "web-1")), Service: byKey(serviceOf("shop", "web", 80)) });
    await start(source);
    const before = pipeline.current().resources("shop/web-1");

    const done = published();
    source.replace({ Pod: byKey(podOf("shop", "web-1"), podOf("other", "job", { containers: ["app"], ips: [] })) });
    await done;

    expect(pipeline.current().snapshot.workloads.has("other/job")).toBe(true);
    expect(pipeline.current().resources("shop/web-1")).toBe(before);
  });

  it("makes anew only what changed", async () => {
    const source = new MemorySource({ Pod: byKey(podOf("shop", "web-1")), Service: byKey(serviceOf("shop", "web", 80)) });
    await start(source);
    const before = pipeline.current().resources("shop/web-1");

    const done = published();
    source.replace({ Service: byKey(serviceOf("shop", "web", 80), serviceOf("shop", "shelf", 81)) });
    await done;
    const after = pipeline.current().resources("shop/web-1");

    expect(after?.cluster.has("outbound_shelf_shop_81")).toBe(true);
    expect(after?.cluster.get("outbound_web_shop_80")).toBe(before?.cluster.get("outbound_web_shop_80"));
    expect(after?.listener.get("inbound")).toBe(before?.listener.get("inbound"));
  });

  it("shares objects between proxies", async () => {
    await start(new MemorySource({ Pod: byKey(podOf("shop", "web-1"), podOf("shop", "web-2", { ips: ["10.0.0.2"] })), Service: byKey(serviceOf("shop", "web", 80)) }));

    const [first, second] = ["shop/web-1", "shop/web-2"].map((proxy) => pipeline.current().resources(proxy));

    expect(first?.cluster).toBe(second?.cluster);
    expect(first?.listener.get("outbound")).toBe(second?.listener.get("outbound"));
  });
});
