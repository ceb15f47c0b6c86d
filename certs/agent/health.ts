import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { formatEndpoint, type Endpoint } from "../../src/std/endpoint.ts";
import { runProbe, type HttpProbe, type ProbeAnswer } from "./probes.ts";

export interface HealthOptions {
  readonly listen: Endpoint;
  readonly isReady: () => boolean;
  /** Envoy's admin interface, `http://127.0.0.1:15000`. */
  readonly admin: string;
  readonly probes: ReadonlyMap<string, HttpProbe>;
  /** Where the application is: the pod's own address. */
  readonly podIp: string;
}

export interface HealthHandle {
  /** `127.0.0.1:15020` */
  readonly address: string;
  readonly stop: () => Promise<void>;
}

/** Plain HTTP for the kubelet: `/ready/agent`, `/ready/proxy` and `/probes/CONTAINER/KIND`, all GET. */
export async function startHealth(options: HealthOptions): Promise<HealthHandle> {
  const server = createServer({ requestTimeout: 5000, headersTimeout: 5000 }, (incoming, response) => {
    void answer(options, incoming).then((result) => send(response, result));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(options.listen.port, options.listen.host, resolve);
  });
  return { address: addressOf(server), stop: () => close(server) };
}

async function answer(options: HealthOptions, incoming: IncomingMessage): Promise<ProbeAnswer> {
  const path = (incoming.url ?? "").split("?")[0] ?? "";
  if (incoming.method !== "GET") return { status: 405, body: "only GET is answered here\n" };
  if (path === "/ready/agent") return options.isReady() ? { status: 200, body: "ready\n" } : { status: 503, body: "no valid certificate on disk\n" };
  if (path === "/ready/proxy") return proxyReady(options.admin);
  const probe = path.startsWith("/probes/") ? options.probes.get(path.slice("/probes/".length)) : undefined;
  if (probe === undefined) return { status: 404, body: "there is nothing at this address\n" };
  return runProbe(probe, options.podIp, incoming.headers["user-agent"] ?? "weft-agent");
}

function proxyReady(admin: string): Promise<ProbeAnswer> {
  return new Promise((resolve) => {
    const sent = request(new URL("/ready", admin), { agent: false, timeout: 1000 });
    sent.on("timeout", () => sent.destroy(new Error("no answer within 1 s")));
    sent.on("error", (error) => resolve({ status: 503, body: `the proxy's admin interface cannot be asked: ${error.message}\n` }));
    sent.on("response", (reply) => {
      reply.resume();
      resolve(reply.statusCode === 200 ? { status: 200, body: "ready\n" } : { status: 503, body: `the proxy answers ${reply.statusCode}\n` });
    });
    sent.end();
  });
}

function send(response: ServerResponse, result: ProbeAnswer): void {
  response.writeHead(result.status, { "content-type": "text/plain; charset=utf-8", connection: "close" }).end(result.body);
}

function addressOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the health server has no address");
  return formatEndpoint({ host: address.address, port: address.port });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
