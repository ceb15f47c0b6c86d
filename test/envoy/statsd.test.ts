import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, createServer as createTcpServer, type AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { formatStatName } from "../../src/std/stat-name.ts";
import { promtoolCheck, startAdapterProcess, startEnvoy, type AdapterProcess } from "./statsd-processes.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

const inbound = formatStatName({ direction: "inbound", port: 8080 });
const inboundTcp = formatStatName({ direction: "inbound", port: 5432 });
const outbound = formatStatName({ direction: "outbound", namespace: "shop", service: "web", port: 80 });

let adapter: AdapterProcess;
let httpPort: number;
let tcpPort: number;

beforeAll(async () => {
  adapter = await startAdapterProcess();
  cleanups.push(() => adapter.stop());
  const application = createServer((request, response) => response.writeHead(Number(request.url?.slice(1))).end("hello"));
  application.listen(0, "127.0.0.1");
  await once(application, "listening");
  cleanups.push(async () => closeServer(application));
  const adminPort = await freePort();
  httpPort = await freePort();
  tcpPort = await freePort();
  const envoy = await startEnvoy(bootstrap(adminPort, (application.address() as AddressInfo).port), adminPort);
  cleanups.push(() => envoy.stop());
});

describe("a real Envoy's statistics, through the adapter", () => {
  it("are requests and durations, in and out, under weft's names", async () => {
    for (const code of [200, 200, 200, 404, 503]) await (await fetch(`http://127.0.0.1:${httpPort}/${code}`)).text();

    const out = 'destination_namespace="shop",destination_service="web",direction="outbound",port="80"';
    const expected = [
      `weft_requests_total{code="200",code_class="2xx",${out}} 3`,
      `weft_requests_total{code="404",code_class="4xx",${out}} 1`,
      `weft_requests_total{code="503",code_class="5xx",${out}} 1`,
      'weft_requests_total{code_class="2xx",direction="inbound",port="8080"} 3',
      'weft_requests_total{code_class="4xx",direction="inbound",port="8080"} 1',
      'weft_requests_total{code_class="5xx",direction="inbound",port="8080"} 1',
      `weft_request_duration_seconds_count{${out}} 5`,
      'weft_request_duration_seconds_count{direction="inbound",port="8080"} 5',
      'weft_request_duration_seconds_bucket{direction="inbound",port="8080",le="+Inf"} 5',
      "weft_proxy_live 1",
    ];
    await vi.waitFor(async () => expect(await lines()).toEqual(expect.arrayContaining(expected)), { timeout: 20_000, interval: 50 });
  });

  it("are connections and bytes of plain TCP", async () => {
    const socket = connect(tcpPort, "127.0.0.1");
    socket.end("GET /200 HTTP/1.0\r\n\r\n");
    let received = 0;
    socket.on("data", (chunk) => (received += chunk.length));
    await once(socket, "close");

    const labels = 'direction="inbound",port="5432"';
    const expected = [
      `weft_connections_total{${labels}} 1`,
      `weft_received_bytes_total{${labels}} 21`,
      `weft_sent_bytes_total{${labels}} ${received}`,
    ];
    await vi.waitFor(async () => expect(await lines()).toEqual(expect.arrayContaining(expected)), { timeout: 20_000, interval: 50 });
  });

  it("are a text that promtool has nothing to say about", async () => {
    expect(await promtoolCheck(await text())).toEqual({ code: 0, remarks: "" });
  });

  it("come from a process that ends with code 0 on SIGTERM", async () => {
    const other = await startAdapterProcess();

    expect(await other.stop()).toBe(0);
  });
});

describe("lines of applications", () => {
  it.each([
    ['q:1|c|#a:"quoted",b:back\\slash,c:{x="1"}'],
    ["tab\tname:1|c|#t:a\tb,ü:ß"],
    ["t:5|ms|#path:/a"],
    ["#TYPE:1|g|#__name__:forged,le:0.1,:x"],
    ["d:1e300|d"],
    ["n:-5|g"],
  ])("are a text that promtool can read: %j", async (line) => {
    const own = await startAdapterProcess();
    try {
      const socket = connect(own.statsd);
      socket.end(`${line}\n`);
      await once(socket, "close");
      const body = await (await fetch(`http://127.0.0.1:${own.metrics.port}/metrics`)).text();

      expect(body).toContain("weft_adapter_series 1\n");
      // 3: it was read, and the linter would have chosen another name.
      expect([0, 3]).toContain((await promtoolCheck(body)).code);
    } finally {
      await own.stop();
    }
  });
});

describe("promtool", () => {
  it("refuses what is no metric, so that its silence means something", async () => {
    expect((await promtoolCheck('a{b="c} 1\n')).code).toBe(1);
  });
});

async function text(): Promise<string> {
  return (await fetch(`http://127.0.0.1:${adapter.metrics.port}/metrics`)).text();
}

async function lines(): Promise<string[]> {
  return (await text()).split("\n");
}

function bootstrap(adminPort: number, applicationPort: number): object {
  const manager = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: inbound,
    route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: outbound } }] }] },
    http_filters: [
      { name: "envoy.filters.http.router", typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" } },
    ],
  };
  const tcp = { "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", stat_prefix: inboundTcp, cluster: "application" };
  return {
    node: { id: "shop/web-1", cluster: "weft" },
    admin: { address: address(adminPort) },
    stats_flush_interval: "0.1s",
    stats_sinks: [
      { name: "envoy.stat_sinks.statsd", typed_config: { "@type": "type.googleapis.com/envoy.config.metrics.v3.StatsdSink", tcp_cluster_name: "statsd" } },
    ],
    static_resources: {
      clusters: [cluster("statsd", adapter.statsd.port), cluster(outbound, applicationPort), cluster("application", applicationPort)],
      listeners: [
        { name: "http", address: address(httpPort), filter_chains: [{ filters: [{ name: "http", typed_config: manager }] }] },
        { name: "tcp", address: address(tcpPort), filter_chains: [{ filters: [{ name: "tcp", typed_config: tcp }] }] },
      ],
    },
  };
}

function address(port: number): object {
  return { socket_address: { address: "127.0.0.1", port_value: port } };
}

function cluster(name: string, port: number): object {
  return { name, type: "STATIC", load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }] } };
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function closeServer(server: Server): void {
  server.close();
  server.closeAllConnections();
}
