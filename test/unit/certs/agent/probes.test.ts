import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { startHealth, type HealthHandle } from "../../../../certs/agent/health.ts";
import { parseProbes, type HttpProbe } from "../../../../certs/agent/probes.ts";
import { ProxyAdmin } from "../../../../certs/agent/proxy-admin.ts";
import { openAuthority } from "../../../../certs/ca/authority.ts";
import { startServingCertificate } from "../../../../certs/ca/serving-certificate.ts";
import { createMemoryStore } from "../ca/memory-store.ts";
import { silent } from "../running-ca.ts";

let servers: Server[] = [];
let health: HealthHandle | undefined;
afterEach(async () => {
  await health?.stop();
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  servers = [];
});

function listen(server: Server): Promise<number> {
  servers.push(server);
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));
}

async function probe(wanted: Partial<HttpProbe>, admin = "http://127.0.0.1:9") {
  const probes = new Map([["web/liveness", { kind: "httpGet" as const, scheme: "HTTP" as const, port: 1, path: "/healthz", headers: [], timeoutSeconds: 1, ...wanted }]]);
  await health?.stop();
  health = await startHealth({ listen: { host: "127.0.0.1", port: 0 }, isReady: () => true, proxy: new ProxyAdmin(admin), probes, podIp: "127.0.0.1", quit: undefined, logger: silent });
  return get("/probes/web/liveness");
}

async function get(path: string, init: RequestInit = {}): Promise<{ status: number; body: string }> {
  const response = await fetch(`http://${health?.address}${path}`, { headers: { "user-agent": "kube-probe/1.36" }, ...init });
  return { status: response.status, body: await response.text() };
}

/** Answers with what it was asked. */
function echo(request: IncomingMessage, response: ServerResponse): void {
  response.end(`${request.method} ${request.url} ${request.headers.host} ${request.headers["user-agent"]} ${request.headers["x-a"] ?? "-"}`);
}

describe("rewritten probes", () => {
  it("ask the application as the kubelet would", async () => {
    const port = await listen(createServer(echo));

    expect(await probe({ port, path: "/healthz?full=1", headers: [{ name: "X-A", value: "1" }, { name: "X-A", value: "2" }] })).toEqual({ status: 200, body: `GET /healthz?full=1 127.0.0.1:${port} kube-probe/1.36 1, 2` });
    expect((await probe({ port, headers: [{ name: "Host", value: "web.example.com" }] })).body).toContain("web.example.com");
    for (const path of ["//elsewhere.example/x", "https://elsewhere.example/x", "x"]) {
      expect((await probe({ port, path })).body).toBe(`GET /x 127.0.0.1:${port} kube-probe/1.36 -`);
    }
  });

  it.each([204, 400, 404, 500, 503])("pass the status %i on", async (status) => {
    const port = await listen(createServer((_request, response) => response.writeHead(status).end()));

    expect((await probe({ port })).status).toBe(status);
  });

  it.each(["000", "099", "102"])("take the status %s for no answer, and live", async (status) => {
    const port = await listen(createServer(({ socket }) => socket.end(`HTTP/1.1 ${status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`)));

    expect((await probe({ port })).status).toBe(502);
    expect((await get("/ready/agent")).status).toBe(200);
  });

  it("do not look at the certificate of an HTTPS probe", async () => {
    const serving = await startServingCertificate(await openAuthority(createMemoryStore(), { trustDomain: "x", now: Date.now }), { names: { dns: ["other.example"], ips: [] }, logger: silent });
    serving.stop();
    const port = await listen(createHttpsServer({ key: serving.current().key, cert: serving.current().certificateChain }, echo) as unknown as Server);

    expect((await probe({ port, scheme: "HTTPS" })).status).toBe(200);
  });

  it("follow redirects on the same host only", async () => {
    const port = await listen(createServer((request, response) => response.writeHead(request.url === "/a" ? 302 : 500, { location: "/b" }).end()));
    const away = await listen(createServer((_request, response) => response.writeHead(302, { location: "http://elsewhere.example/" }).end()));
    let asked = 0;
    const round = await listen(createServer((_request, response) => response.writeHead(302, { location: `/${(asked += 1)}` }).end()));

    expect((await probe({ port, path: "/a" })).status).toBe(500);
    expect(await probe({ port: away })).toEqual({ status: 200, body: "redirected to another host: elsewhere.example\n" });
    expect(await probe({ port: round })).toEqual({ status: 502, body: "stopped after 10 redirects\n" });
    expect(asked).toBe(10);
  });

  it("fail in time when the application does not answer, or is not there", async () => {
    const port = await listen(createServer(() => undefined));

    expect(await probe({ port })).toEqual({ status: 504, body: "no answer within 900 ms\n" });
    expect((await probe({ port: 9 })).status).toBe(502);
  });

  it("are the only ones, and GET the only method", async () => {
    await probe({});

    expect((await get("/probes/web/readiness")).status).toBe(404);
    expect((await get("/probes/__proto__/x")).status).toBe(404);
    expect((await get("/")).status).toBe(404);
    expect((await get("/ready/agent", { method: "POST" })).status).toBe(405);
  });

  it("read a long answer only as far as the kubelet does", async () => {
    const port = await listen(createServer((_request, response) => response.end("x".repeat(1_000_000))));

    expect((await probe({ port })).body).toHaveLength(10_240);
  });
});

describe("/ready/proxy", () => {
  it("says what Envoy's /ready says", async () => {
    let status = 503;
    const port = await listen(createServer((request, response) => response.writeHead(request.url === "/ready" ? status : 404).end("INITIALIZING\n")));
    await probe({}, `http://127.0.0.1:${port}`);

    expect((await get("/ready/proxy")).status).toBe(503);
    status = 200;
    expect((await get("/ready/proxy")).status).toBe(200);
  });

  it("is not ready when nobody answers there", async () => {
    await probe({});

    expect((await get("/ready/proxy")).status).toBe(503);
  });
});

describe("WEFT_PROBES", () => {
  it("is read with the kubelet's defaults", () => {
    const probes = parseProbes('{"web/startup":{"port":8080,"httpGet":{"port":"http"}},"web/preStop":{"port":1,"tcpSocket":{"port":1}},"web/liveness":{"port":9,"timeout":3,"grpc":{"port":9,"service":null}}}');

    expect(Object.fromEntries(probes)).toEqual({
      "web/startup": { kind: "httpGet", scheme: "HTTP", port: 8080, path: "", headers: [], timeoutSeconds: 1 },
      "web/preStop": { kind: "tcpSocket", port: 1, timeoutSeconds: undefined },
      "web/liveness": { kind: "grpc", port: 9, service: "", timeoutSeconds: 3 },
    });
  });

  it.each(["", "[]", "null", "{", '{"a/liveness":null}', '{"a/liveness":{"port":"http"}}', '{"a/liveness":{"port":70000}}', '{"a/liveness":{"port":7}}'])("%j is refused", (text) => {
    expect(() => parseProbes(text)).toThrow(/JSON|probe/);
  });

  it.each([
    [0, 1],
    [2_147_483_647, 86_400],
    [4_000_000, 86_400],
  ])("have a timeout that a timer can hold: %i s becomes %i s", (timeout, seconds) => {
    const [read] = parseProbes(JSON.stringify({ "web/readiness": { port: 80, timeout, httpGet: {} } })).values();

    expect(read?.timeoutSeconds).toBe(seconds);
  });
});
