import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startAdapter, type Adapter, type AdapterOptions } from "../../../src/adapter/start.ts";
import { createLogger } from "../../../src/runtime/logger.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const anyPort = { host: "127.0.0.1", port: 0 };

async function start(options: Partial<AdapterOptions> = {}): Promise<Adapter> {
  const adapter = await startAdapter({ statsd: anyPort, metrics: anyPort, maxSeries: 100, ttlMs: 0, logger: createLogger("test", "silent"), ...options });
  cleanups.push(() => adapter.stop());
  return adapter;
}

function url(adapter: Adapter, path: string): string {
  return `http://127.0.0.1:${adapter.addresses.metrics.port}${path}`;
}

async function samples(adapter: Adapter, path = "/metrics"): Promise<string[]> {
  const text = await (await fetch(url(adapter, path))).text();
  return text.split("\n").filter((line) => line !== "" && !/^(#|weft_adapter_)/.test(line));
}

async function sendTcp(adapter: Adapter, ...chunks: string[]): Promise<void> {
  const socket = connect(adapter.addresses.statsd);
  for (const chunk of chunks) socket.write(chunk);
  socket.end();
  await once(socket, "close");
}

describe("the adapter", () => {
  it("takes TCP, also a last line without a newline", async () => {
    const adapter = await start();

    await sendTcp(adapter, "envoy.http.inbound_80.downstream_rq_2xx:1|c\na:1", "|c\na:2|c");

    expect(await samples(adapter)).toEqual(["a_total 3", 'weft_requests_total{code_class="2xx",direction="inbound",port="80"} 1']);
  });

  it("ends when the pod itself says so", async () => {
    const adapter = await start({ metrics: { host: "0.0.0.0", port: 0 } });
    let ended = false;
    void adapter.quit.then(() => (ended = true));

    expect((await fetch(url(adapter, "/quitquitquit").replace("127.0.0.1", "127.0.0.9"), { method: "POST" })).status).toBe(403);
    expect([(await fetch(url(adapter, "/quitquitquit"))).status, ended]).toEqual([404, false]);
    expect((await fetch(url(adapter, "/quitquitquit"), { method: "POST" })).status).toBe(200);
    await adapter.quit;
  });

  it("takes UDP on the same port", async () => {
    const adapter = await start();
    const socket = createSocket("udp4");
    cleanups.push(async () => socket.close());

    socket.send("a:1|c\nb:1|g|#x:y", adapter.addresses.statsd.port, "127.0.0.1");

    await vi.waitFor(async () => expect(await samples(adapter)).toEqual(["a_total 1", 'b{x="y"} 1']), { timeout: 5000 });
  });

  it("survives garbage, and tells of it", async () => {
    const adapter = await start();

    await sendTcp(adapter, `\u0000\n${"x".repeat(100_000)}\n\n:|@#\nGET / HTTP/1.1\r\n\r\na:1|c\n`);

    const text = await (await fetch(url(adapter, "/metrics"))).text();
    expect(text).toContain("a_total 1\n");
    expect(text).toContain('weft_adapter_dropped_total{reason="malformed"} 3\n');
    expect(text).toContain('weft_adapter_dropped_total{reason="line_too_long"} 1\n');
    expect(text).toContain("weft_adapter_lines_total 5\n");
  });

  it("answers /ready, and tells what is where", async () => {
    const adapter = await start();

    expect(await (await fetch(url(adapter, "/ready"))).text()).toBe("ready\n");
    expect((await fetch(url(adapter, "/metrics"))).headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect((await fetch(url(adapter, "/nothing"))).status).toBe(404);
    expect((await fetch(url(adapter, "/metrics"), { method: "POST", body: "x" })).status).toBe(405);
  });

  it("says which port is taken, and leaves nothing open", async () => {
    const adapter = await start();

    await expect(start({ metrics: adapter.addresses.metrics })).rejects.toThrow(`EADDRINUSE: address already in use 127.0.0.1:${adapter.addresses.metrics.port}`);
    await expect(start({ statsd: adapter.addresses.statsd })).rejects.toThrow("EADDRINUSE");
  });

  it("ends although a client holds its connection", async () => {
    const adapter = await startAdapter({ statsd: anyPort, metrics: anyPort, maxSeries: 1, ttlMs: 0, logger: createLogger("test", "silent") });
    const socket = connect(adapter.addresses.statsd);
    await once(socket, "connect");

    await adapter.stop();

    socket.resume();
    expect(await once(socket, "close")).toEqual([false]);
  });
});

describe("its settings", () => {
  async function startWithSettings() {
    const directory = await mkdtemp(join(tmpdir(), "weft-adapter-"));
    cleanups.push(() => rm(directory, { recursive: true }));
    const settingsFile = join(directory, "settings.json");
    async function replace(text: string): Promise<void> {
      await writeFile(`${settingsFile}.new`, text);
      await rename(`${settingsFile}.new`, settingsFile);
    }
    const adapter = await start({ settingsFile });
    await sendTcp(adapter, "a:1|g\n");
    return { adapter, settingsFile, replace };
  }
  function settings(metricLabels: unknown): string {
    return JSON.stringify({ metricLabels, subjectNames: [] });
  }

  it("change the labels of the next scrape, without a restart", async () => {
    const { adapter, replace } = await startWithSettings();
    expect(await samples(adapter)).toEqual(["a 1"]);

    await replace(settings({ "app.kubernetes.io/name": 'w"eb', le: "x" }));
    expect(await samples(adapter)).toEqual(['a{app_kubernetes_io_name="w\\"eb",exported_le="x"} 1']);
    expect(await samples(adapter, "/metrics?labels=none")).toEqual(["a 1"]);

    await replace(settings({}));
    expect(await samples(adapter)).toEqual(["a 1"]);
  });

  it.each([["not JSON"], ['{"metricLabels":{"a":1},"subjectNames":[]}'], ["[]"], [""]])("stay as they were when the file says %j", async (text) => {
    const { adapter, replace } = await startWithSettings();
    await replace(settings({ team: "blue" }));
    expect(await samples(adapter)).toEqual(['a{team="blue"} 1']);

    await replace(text);

    expect(await samples(adapter)).toEqual(['a{team="blue"} 1']);
    expect(await (await fetch(url(adapter, "/metrics"))).text()).toContain('weft_adapter_settings_valid{team="blue"} 0\n');
  });

  it("stay as they were when the file vanishes", async () => {
    const { adapter, settingsFile, replace } = await startWithSettings();
    await replace(settings({ team: "blue" }));
    expect(await samples(adapter)).toEqual(['a{team="blue"} 1']);

    await rm(settingsFile);

    expect(await samples(adapter)).toEqual(['a{team="blue"} 1']);
  });
});
