import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { HealthHandle, HealthOptions } from "../../../../certs/agent/health.ts";
import { call, health } from "./health-server.ts";

let ending: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ending.toReversed()) await end();
  ending = [];
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ending.push(async () => void (await new Promise((resolve) => server.close(resolve))));
  return (server.address() as AddressInfo).port;
}

function web(listener: RequestListener): Promise<number> {
  return listen(createServer(listener));
}

async function agent(probes: object, change: Partial<HealthOptions> = {}): Promise<HealthHandle> {
  const handle = await health(probes, change);
  ending.push(handle.stop);
  return handle;
}

/** A port on which nobody listens any more. */
async function deadPort(): Promise<number> {
  const server = createTcpServer();
  const port = await listen(server);
  await ending.pop()?.();
  return port;
}

describe("a rewritten tcpSocket probe", () => {
  it("succeeds when the application takes the connection, which comes from the source that redirection lets through", async () => {
    const sources: unknown[] = [];
    const port = await listen(createTcpServer((socket) => sources.push(socket.on("error", () => undefined).remoteAddress)));
    const { address } = await agent({ "db/liveness": { port, timeout: 1, tcpSocket: { port } } });

    expect(await call(address, "/probes/db/liveness")).toEqual({ status: 200, body: "connected\n" });
    await vi.waitFor(() => expect(sources).toEqual(["127.0.0.6"]));
  });

  it("is made over IPv6 too, from any source where redirection has made none for it", async () => {
    const sources: unknown[] = [];
    const server = createTcpServer((socket) => sources.push(socket.on("error", () => undefined).remoteAddress));
    await new Promise<void>((resolve) => server.listen(0, "::1", resolve));
    ending.push(async () => void (await new Promise((resolve) => server.close(resolve))));
    const { port } = server.address() as AddressInfo;
    const { address } = await agent({ "db/liveness": { port, timeout: 1, tcpSocket: { port } } }, { podIp: "::1" });

    expect((await call(address, "/probes/db/liveness")).status).toBe(200);
    await vi.waitFor(() => expect(sources).toEqual(["::1"]));
  });

  it("fails when it does not", async () => {
    const port = await deadPort();
    const { address } = await agent({ "db/liveness": { port, timeout: 1, tcpSocket: { port } } });

    expect(await call(address, "/probes/db/liveness")).toEqual({ status: 502, body: `connect ECONNREFUSED 127.0.0.1:${port}\n` });
  });
});

describe("a rewritten lifecycle hook", () => {
  it("is any answer of the application, also an error, as for the kubelet", async () => {
    const asked: (string | undefined)[] = [];
    const port = await web((request, response) => {
      asked.push(request.url);
      response.writeHead(500).end();
    });
    const { address } = await agent({ "web/preStop": { port, httpGet: { path: "/bye?now", port } } });

    expect(await call(address, "/hooks/web/preStop")).toEqual({ status: 200, body: "done\n" });
    expect(asked).toEqual(["/bye?now"]);
  });

  it("has no answer when the application has none: the kubelet takes any status for success", async () => {
    const port = await deadPort();
    const { address } = await agent({ "web/postStart": { port, httpGet: { port } }, "web/preStop": { port, tcpSocket: { port } } });

    await expect(call(address, "/hooks/web/postStart")).rejects.toThrow("socket hang up");
    await expect(call(address, "/hooks/web/preStop")).rejects.toThrow("socket hang up");
  });

  it("asks in plaintext where HTTPS is answered so, which a probe does not", async () => {
    const port = await web((_request, response) => response.end());
    const httpGet = { port, scheme: "HTTPS" };
    const { address } = await agent({ "web/preStop": { port, httpGet }, "web/liveness": { port, timeout: 1, httpGet } });

    expect((await call(address, "/hooks/web/preStop")).status).toBe(200);
    expect((await call(address, "/probes/web/liveness")).status).toBe(502);
  });

  it("is waited for until the kubelet hangs up", async () => {
    let asked: IncomingMessage | undefined;
    const port = await web((request) => void (asked = request));
    const { address, hooks } = await agent({ "web/preStop": { port, httpGet: { port } } });
    const kubelet = new AbortController();

    const hanging = call(address, "/hooks/web/preStop", { signal: kubelet.signal });
    await vi.waitFor(() => expect([asked !== undefined, hooks()]).toEqual([true, 1]));
    kubelet.abort();

    await expect(hanging).rejects.toThrow("aborted");
    await vi.waitFor(() => expect([asked?.destroyed, hooks()]).toEqual([true, 0]));
  });

  it("is not to be had as a probe, nor a probe as a hook", async () => {
    const { address } = await agent({ "web/preStop": { port: 9, httpGet: { port: 9 } }, "web/liveness": { port: 9, timeout: 1, httpGet: { port: 9 } } });

    expect((await call(address, "/probes/web/preStop")).status).toBe(404);
    expect((await call(address, "/hooks/web/liveness")).status).toBe(404);
  });
});

describe("POST /quitquitquit", () => {
  it("ends the sidecars, for the pod itself alone, and itself when that is answered", async () => {
    const order: string[] = [];
    const { address } = await agent({}, { quit: { others: () => Promise.resolve(void order.push("others")), self: () => order.push("self") } });

    expect(await call(address, "/quitquitquit", { method: "POST", localAddress: "127.0.0.6" })).toEqual({ status: 403, body: "only the pod itself may ask for this, at 127.0.0.1\n" });
    expect((await call(address, "/quitquitquit")).status).toBe(405);
    expect(order).toEqual([]);
    expect(await call(address, "/quitquitquit", { method: "POST" })).toEqual({ status: 200, body: "the sidecars end\n" });
    await vi.waitFor(() => expect(order).toEqual(["others", "self"]));
  });

  it("is refused from another address of this machine, and to one", async () => {
    const quit = { others: () => Promise.resolve(), self: () => undefined };
    const { address } = await agent({}, { quit, listen: { host: "0.0.0.0", port: 0 } });

    expect((await call(address.replace("0.0.0.0", "127.0.0.9"), "/quitquitquit", { method: "POST", localAddress: "127.0.0.1" })).status).toBe(403);
  });

  it("changes nothing where the kubelet ends sidecars by itself", async () => {
    const { address } = await agent({});

    expect(await call(address, "/quitquitquit", { method: "POST" })).toEqual({ status: 200, body: "the sidecars of this pod end by themselves\n" });
  });

  it("says so when a sidecar cannot be told, and stays", async () => {
    const self = vi.fn<() => void>();
    const { address } = await agent({}, { quit: { others: () => Promise.reject(new Error("no answer within 1 s")), self } });

    expect(await call(address, "/quitquitquit", { method: "POST" })).toEqual({ status: 503, body: "a sidecar could not be told to end: no answer within 1 s\n" });
    expect(self).toHaveBeenCalledTimes(0);
  });
});
