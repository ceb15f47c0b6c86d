import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { formatEndpoint, type Endpoint } from "../../src/std/endpoint.ts";
import type { AgentLogger } from "./agent-logger.ts";
import type { Probe, ProbeAnswer } from "./probes.ts";
import { runHook, runProbe } from "./probes-run.ts";
import type { ProxyAdmin } from "./proxy-admin.ts";

export interface HealthOptions {
  readonly listen: Endpoint;
  readonly isReady: () => boolean;
  readonly proxy: ProxyAdmin;
  readonly probes: ReadonlyMap<string, Probe>;
  /** Where the application is: the pod's own address. */
  readonly podIp: string;
  /** undefined where the kubelet ends the sidecars by itself. */
  readonly quit: QuitOptions | undefined;
  readonly logger: AgentLogger;
}

/** What `POST /quitquitquit` does. */
export interface QuitOptions {
  /** Tells the other sidecars to end. */
  readonly others: () => Promise<void>;
  /** Called when the caller has its answer. */
  readonly self: () => void;
}

export interface HealthHandle {
  /** `127.0.0.1:15020` */
  readonly address: string;
  /** Hooks that are still under way. */
  readonly hooks: () => number;
  readonly stop: () => Promise<void>;
}

interface Context extends HealthOptions {
  readonly running: Set<AbortController>;
}

/** The port is open to the cluster, and each costs some twenty kilobytes. */
const maxConnections = 1000;

const nothing: ProbeAnswer = { status: 404, body: "there is nothing at this address\n" };

/**
 * Plain HTTP for the kubelet: GET of `/ready/agent`, `/ready/proxy`, `/probes/CONTAINER/KIND` and `/hooks/CONTAINER/KIND`;
 * and for the pod itself, on 127.0.0.1 only: `POST /quitquitquit`.
 */
export async function startHealth(options: HealthOptions): Promise<HealthHandle> {
  const context: Context = { ...options, running: new Set() };
  const server = createServer({ requestTimeout: 5000, headersTimeout: 5000, connectionsCheckingInterval: 1000 }, (incoming, response) => {
    answer(context, incoming, response)
      .then((result) => send(response, result))
      .catch((err: unknown) => {
        options.logger.warn({ err }, "a call was not answered");
        response.destroy();
      });
  });
  server.maxConnections = maxConnections;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(options.listen.port, options.listen.host, resolve);
  });
  return { address: addressOf(server), hooks: () => context.running.size, stop: () => close(server) };
}

/** undefined = the connection is to end without an answer. */
async function answer(context: Context, incoming: IncomingMessage, response: ServerResponse): Promise<ProbeAnswer | undefined> {
  const path = (incoming.url ?? "").split("?")[0] ?? "";
  if (path === "/quitquitquit") return quit(context, incoming, response);
  if (incoming.method !== "GET") return { status: 405, body: "only GET is answered here\n" };
  if (path === "/ready/agent") return readiness(context.isReady() ? undefined : "no valid certificate on disk");
  if (path === "/ready/proxy") return readiness(await context.proxy.notReady());
  return callApplication(context, { path, userAgent: incoming.headers["user-agent"] ?? "weft-agent", response });
}

interface Call {
  readonly path: string;
  readonly userAgent: string;
  readonly response: ServerResponse;
}

async function callApplication(context: Context, call: Call): Promise<ProbeAnswer | undefined> {
  const [, kind, key = ""] = /^\/(probes|hooks)\/(.+)$/.exec(call.path) ?? [];
  const probe = context.probes.get(key);
  if (probe === undefined || (kind === "hooks") !== (probe.timeoutSeconds === undefined)) return nothing;
  return kind === "hooks" ? callHook(context, probe, call) : runProbe(probe, context.podIp, call.userAgent);
}

function readiness(obstacle: string | undefined): ProbeAnswer {
  return obstacle === undefined ? { status: 200, body: "ready\n" } : { status: 503, body: `${obstacle}\n` };
}

/** The kubelet takes any answer of a hook for a success, so that one that failed must have none. It may hang up first. */
async function callHook({ running, podIp, logger }: Context, hook: Probe, { path, userAgent, response }: Call): Promise<ProbeAnswer | undefined> {
  const end = new AbortController();
  response.once("close", () => end.abort());
  running.add(end);
  try {
    await runHook(hook, podIp, { userAgent, signal: end.signal });
    return { status: 200, body: "done\n" };
  } catch (err) {
    logger.warn({ err, path }, "a lifecycle hook failed");
    return undefined;
  } finally {
    running.delete(end);
  }
}

async function quit(context: Context, incoming: IncomingMessage, response: ServerResponse): Promise<ProbeAnswer> {
  if (incoming.method !== "POST") return { status: 405, body: "only POST is answered here\n" };
  if (!isFromInside(incoming)) return { status: 403, body: "only the pod itself may ask for this, at 127.0.0.1\n" };
  if (context.quit === undefined) return { status: 200, body: "the sidecars of this pod end by themselves\n" };
  try {
    await context.quit.others();
    response.once("close", context.quit.self);
    return { status: 200, body: "the sidecars end\n" };
  } catch (error) {
    return { status: 503, body: `a sidecar could not be told to end: ${error instanceof Error ? error.message : String(error)}\n` };
  }
}

/** Both ends: the proxy hands on traffic from outside with 127.0.0.6 as its source, but to the pod's own address. */
function isFromInside({ socket }: IncomingMessage): boolean {
  const inside = ["127.0.0.1", "::1", "::ffff:127.0.0.1"];
  return inside.includes(socket.remoteAddress ?? "") && inside.includes(socket.localAddress ?? "");
}

function send(response: ServerResponse, result: ProbeAnswer | undefined): void {
  if (result === undefined) response.destroy();
  else response.writeHead(isStatus(result.status) ? result.status : 502, { "content-type": "text/plain; charset=utf-8", connection: "close" }).end(result.body);
}

/** An application may answer with any three digits. */
function isStatus(status: number): boolean {
  return status >= 200 && status <= 999;
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
