import { createServer as createHttp2Server, type Http2Server } from "node:http2";
import { createServer as createHttpServer } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from "node:net";
import { Server, ServerCredentials, status, type sendUnaryData, type ServerUnaryCall } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import type { HealthHandle } from "../../../../certs/agent/health.ts";
import { call, health } from "./health-server.ts";

let ending: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ending.toReversed()) await end();
  ending = [];
});

type Check = (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => void;

/** A grpc-js server of grpc.health.v1.Health, its messages as bytes. */
async function grpcServer(check: Check | undefined): Promise<number> {
  const server = new Server();
  const asBytes = { requestStream: false, responseStream: false, requestDeserialize: (bytes: Buffer) => bytes, requestSerialize: (bytes: Buffer) => bytes, responseSerialize: (bytes: Buffer) => bytes, responseDeserialize: (bytes: Buffer) => bytes } as const;
  if (check !== undefined) server.addService({ check: { path: "/grpc.health.v1.Health/Check", ...asBytes } }, { check });
  ending.push(() => server.forceShutdown());
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => (error === null ? resolve(port) : reject(error)));
  });
}

async function listen(server: TcpServer | Http2Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ending.push(() => new Promise((resolve) => server.close(() => resolve())));
  return (server.address() as AddressInfo).port;
}

async function probe(port: number, grpc: object = {}): Promise<{ status: number | undefined; body: string }> {
  const agent: HealthHandle = await health({ "web/readiness": { port, timeout: 1, grpc: { port, ...grpc } } });
  ending.push(agent.stop);
  return call(agent.address, "/probes/web/readiness");
}

/** `HealthCheckResponse { status }` */
function answering(serving: number): Check {
  return (_call, answer) => answer(null, Buffer.from(serving === 0 ? [] : [8, serving]));
}

describe("a rewritten gRPC probe", () => {
  it.each([
    [1, 200, "the service answers SERVING\n"],
    [2, 503, "the service answers NOT_SERVING\n"],
    [3, 503, "the service answers SERVICE_UNKNOWN\n"],
    [0, 503, "the service answers UNKNOWN\n"],
  ])("passes on the status %i of a real gRPC server", async (serving, expected, body) => {
    expect(await probe(await grpcServer(answering(serving)))).toEqual({ status: expected, body });
  });

  it.each([
    [undefined, ""],
    ["", ""],
    ["books.v1.Books", "0a0e626f6f6b732e76312e426f6f6b73"],
    ["é".repeat(100), `0ac801${"c3a9".repeat(100)}`],
  ])("asks for the service %j", async (service, bytes) => {
    const asked: unknown[] = [];
    const port = await grpcServer((request, answer) => {
      asked.push(request.request.toString("hex"), request.metadata.get("user-agent")[0]);
      answer(null, Buffer.from([8, 1]));
    });

    expect((await probe(port, { service })).status).toBe(200);
    expect(asked).toEqual([bytes, "kube-probe/1.36"]);
  });

  it("fails where the server knows no health checks, or refuses this one", async () => {
    expect(await probe(await grpcServer(undefined))).toEqual({ status: 503, body: "the server does not implement grpc.health.v1.Health\n" });
    const refusing = await grpcServer((_call, answer) => answer({ code: status.NOT_FOUND, details: "unknown service" }));
    expect(await probe(refusing)).toEqual({ status: 503, body: "the health check failed: grpc-status 5 (unknown service)\n" });
  });

  it("fails in time at a server that does not answer, and at none", async () => {
    expect(await probe(await grpcServer(() => undefined))).toEqual({ status: 504, body: "no answer within 900 ms\n" });
    expect((await probe(9)).status).toBe(502);
  });

  it("fails at servers that speak something else", async () => {
    const http1 = createHttpServer((_request, response) => response.end("hello"));
    const web = createHttp2Server((_request, response) => response.end("hello"));
    const silent = createTcpServer((socket) => socket.on("error", () => undefined).on("data", () => socket.destroy()));

    expect((await probe(await listen(http1))).status).toBe(502);
    expect(await probe(await listen(web))).toEqual({ status: 503, body: "the health check failed: grpc-status NaN\n" });
    expect((await probe(await listen(silent))).status).toBe(502);
  });
});
