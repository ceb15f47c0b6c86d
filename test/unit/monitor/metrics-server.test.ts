import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { get } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { metricsPath } from "../../../src/monitor/metrics-path.ts";
import { startMetricsServer, type MonitorTargets } from "../../../src/monitor/metrics-server.ts";
import type { ScrapeTarget } from "../../../src/monitor/scrape.ts";
import { createLogger } from "../../../src/runtime/logger.ts";
import { selfSigned } from "./certificate.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A pod's adapter, as far as the wire shows it. */
async function startPod(pod: string, answer: RequestListener): Promise<ScrapeTarget> {
  const server: Server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(async () => {
    server.close();
    server.closeAllConnections();
  });
  return { namespace: "shop", pod, address: "127.0.0.1", metricsPort: (server.address() as AddressInfo).port, labels: { app: "web", "a/b": "c" } };
}

async function start(monitors: Readonly<Record<string, MonitorTargets>>) {
  const serving = { value: await selfSigned("first"), listener: (): void => undefined };
  const server = await startMetricsServer({
    listen: { host: "127.0.0.1", port: 0 },
    certificates: {
      current: () => serving.value,
      onChange: (listener) => {
        serving.listener = listener;
        return () => (serving.listener = () => undefined);
      },
    },
    targets: (key) => (Object.hasOwn(monitors, key) ? monitors[key] : undefined),
    logger: createLogger("test", "silent"),
  });
  cleanups.push(() => server.stop());
  return { port: server.address.port, serving };
}

async function fetchText(port: number, path: string) {
  const request = get({ host: "127.0.0.1", port, path, rejectUnauthorized: false, agent: false });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const subject = (response.socket as TLSSocket).getPeerCertificate().subject.CN;
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, type: response.headers["content-type"], text: Buffer.concat(chunks).toString(), subject };
}

function samples(text: string): string[] {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#") && !line.includes("families_dropped"));
}

describe("the metrics server", () => {
  it("serves all pods of a Monitor under its path, with the pods' own labels", async () => {
    const asked: (string | undefined)[] = [];
    const one = await startPod("web-1", (request, response) => {
      asked.push(request.url);
      response.end("# TYPE a counter\na 1\n");
    });
    const two = await startPod("web-2", (_, response) => response.end('# TYPE a counter\na{pod="web-1",app="own"} 2\n'));
    const { port } = await start({ "shop/all": { workloads: [one, two] } });

    const answer = await fetchText(port, metricsPath("shop/all"));

    expect(answer.status).toBe(200);
    expect(answer.type).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(samples(answer.text)).toEqual([
      'a{a_b="c",app="web",namespace="shop",pod="web-1"} 1',
      'a{a_b="c",app="web",exported_app="own",exported_pod="web-1",namespace="shop",pod="web-2"} 2',
      'weft_scrape_up{a_b="c",app="web",namespace="shop",pod="web-1"} 1',
      'weft_scrape_up{a_b="c",app="web",namespace="shop",pod="web-2"} 1',
    ]);
    expect(asked).toEqual(["/metrics?labels=none"]);
  });

  it.each([
    [{ team: "blue", pod: "mine" }, 'a{exported_pod="mine",namespace="shop",pod="web-1",team="blue"} 1'],
    [{}, 'a{namespace="shop",pod="web-1"} 1'],
  ])("puts metricLabels %j instead", async (metricLabels, expected) => {
    const pod = await startPod("web-1", (_, response) => response.end("a 1\n"));
    const { port } = await start({ "shop/all": { metricLabels, workloads: [pod] } });

    const { text } = await fetchText(port, "/metrics/shop/all");

    expect(samples(text)[0]).toBe(expected);
  });

  it.each<[string, RequestListener]>([
    ["answers with an error", (_, response) => response.writeHead(500).end("a 1\n")],
    ["answers with HTML", (_, response) => response.end("<html>")],
    ["cuts the connection", (_, response) => response.destroy()],
    ["sends us elsewhere", (request, response) => (request.url === "/else" ? response.end("a 1\n") : response.writeHead(302, { location: "/else" }).end())],
    ["never ends its answer", (_, response) => response.write("a 1\n")],
    ["answers without end", (_, response) => response.end(Buffer.alloc(17 * 1024 * 1024, "a 1\n"))],
  ])("tells that a pod is down that %s, and serves the others", async (_, answer) => {
    const bad = await startPod("bad", answer);
    const good = await startPod("good", (_request, response) => response.end("a 1\n"));
    const { port } = await start({ "shop/all": { metricLabels: {}, workloads: [bad, good] } });

    const { text } = await fetchText(port, "/metrics/shop/all");

    expect(samples(text)).toEqual([
      'a{namespace="shop",pod="good"} 1',
      'weft_scrape_up{namespace="shop",pod="bad"} 0',
      'weft_scrape_up{namespace="shop",pod="good"} 1',
    ]);
  });

  it.each([
    ["/metrics/shop/none", "There is no Monitor shop/none. Apply one, or correct the address: /metrics/NAMESPACE/MONITOR.\n"],
    ["/metrics/__proto__/x", "There is no Monitor __proto__/x. Apply one, or correct the address: /metrics/NAMESPACE/MONITOR.\n"],
    ["/", "There is nothing here. A Monitor's metrics are at /metrics/NAMESPACE/MONITOR.\n"],
    ["/metrics/shop", "There is nothing here. A Monitor's metrics are at /metrics/NAMESPACE/MONITOR.\n"],
  ])("answers %s with 404 and a sentence", async (path, sentence) => {
    const { port } = await start({});

    expect(await fetchText(port, path)).toMatchObject({ status: 404, text: sentence });
  });

  it("serves a Monitor of the longest name", async () => {
    const name = "m".repeat(253);
    const { port } = await start({ [`shop/${name}`]: { workloads: [] } });

    expect((await fetchText(port, metricsPath(`shop/${name}`))).status).toBe(200);
  });

  it("reads the pods once for all who ask meanwhile, and again for who asks later", async () => {
    let asked = 0;
    const waiting: (() => void)[] = [];
    const pod = await startPod("web-1", (_, response) => {
      asked++;
      waiting.push(() => response.end("a 1\n"));
    });
    const { port } = await start({ "shop/all": { metricLabels: {}, workloads: [pod] } });

    const answers = [fetchText(port, "/metrics/shop/all"), fetchText(port, "/metrics/shop/all"), fetchText(port, "/metrics/shop/all")];
    await expect.poll(() => waiting.length).toBe(1);
    await fetchText(port, "/nothing");
    for (const end of waiting.splice(0)) end();
    const texts = await Promise.all(answers.map(async (answer) => samples((await answer).text)[0]));
    const later = fetchText(port, "/metrics/shop/all");
    await expect.poll(() => waiting.length).toBe(1);
    for (const end of waiting.splice(0)) end();

    expect(samples((await later).text)[0]).toBe('a{namespace="shop",pod="web-1"} 1');
    expect(texts).toEqual(Array.from({ length: 3 }, () => 'a{namespace="shop",pod="web-1"} 1'));
    expect(asked).toBe(2);
  });

  it("takes a new certificate without a restart, and keeps the last when it is not usable", async () => {
    const { port, serving } = await start({});
    expect((await fetchText(port, "/")).subject).toBe("first");

    serving.value = await selfSigned("second");
    serving.listener();
    expect((await fetchText(port, "/")).subject).toBe("second");

    serving.value = { key: "no key", certificateChain: "no certificate" };
    serving.listener();
    expect((await fetchText(port, "/")).subject).toBe("second");
  });
});
