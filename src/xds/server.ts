/** The delta ADS server: gRPC over mTLS. One session a stream; resources come encoded from the shared cache. */
import { logVerbosity, Server, setLogVerbosity, status, type ServerCredentials, type ServerDuplexStream, type UntypedServiceImplementation } from "@grpc/grpc-js";
import type { Rotating, TlsIdentity } from "../std/rotating.ts";
import type { Convergence } from "./convergence.ts";
import { RotatingCredentials } from "./rotating-credentials.ts";
import type { AdsCall } from "./session.ts";
import { Sessions, type PublishOptions, type SessionsOptions } from "./sessions.ts";
import { decodeRequest } from "./wire.ts";

export interface XdsServerOptions extends SessionsOptions {
  /** `HOST:PORT`; port 0 = any free one. */
  readonly listen: string;
  readonly credentials: Rotating<TlsIdentity>;
  /** PEM of the roots that clients' certificates must chain to. */
  readonly trustBundle: Rotating<string>;
}

export interface XdsServer {
  /** `HOST:PORT` it listens on. */
  readonly address: string;
  /** Looks again at what the proxies shall have, and tells them what changed. */
  publish(options?: PublishOptions): void;
  /** Keys of the proxies with a stream, sorted. */
  connected(): readonly string[];
  /** The newest change that was told to a proxy and answered by all; undefined = none yet. */
  lastConvergence(): Convergence | undefined;
  /** Changes that some proxy has not answered yet. */
  openPublishes(): number;
  stop(): Promise<void>;
}

const service = "/envoy.service.discovery.v3.AggregatedDiscoveryService";
/** A mesh's initial_resource_versions fit; a flood does not. */
const maxRequestBytes = 4 << 20;

const channelOptions = {
  "grpc.max_receive_message_length": maxRequestBytes,
  // Half-open connections end within a minute; a proxy that is only quiet does not.
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 20_000,
  "grpc.max_connection_idle_ms": 300_000,
  // Streams outlive neither their certificate nor an uneven spread over replicas for long; a reconnect costs only changes.
  "grpc.max_connection_age_ms": 3_600_000,
  "grpc.max_connection_age_grace_ms": 10_000,
  "grpc.max_concurrent_streams": 16,
};

/** Throws when it cannot listen. */
export async function startXdsServer(options: XdsServerOptions): Promise<XdsServer> {
  // What goes wrong is told by us, in our log.
  setLogVerbosity(logVerbosity.NONE);
  const sessions = new Sessions(options);
  const server = new Server(channelOptions);
  server.addService(definition, {
    delta: (call: AdsCall) => sessions.open(call),
    stateOfTheWorld: refuseStateOfTheWorld,
  } satisfies UntypedServiceImplementation);
  const credentials = new RotatingCredentials(options.credentials, options.trustBundle);
  const port = await bind(server, options.listen, credentials);
  const unfollow = credentials.follow();
  return {
    address: `${options.listen.slice(0, options.listen.lastIndexOf(":"))}:${port}`,
    publish: (what) => sessions.publish(what),
    connected: () => sessions.connected(),
    lastConvergence: () => sessions.lastConvergence(),
    openPublishes: () => sessions.openPublishes(),
    async stop() {
      unfollow();
      sessions.closeAll();
      // What was said last to each client goes out before its connection ends.
      const ended = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      const force = setTimeout(() => server.forceShutdown(), stopGrace);
      await ended;
      clearTimeout(force);
    },
  };
}

/** Milliseconds that connections have to end by themselves. */
const stopGrace = 1000;

function bind(server: Server, listen: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, credentials, (error, port) => {
      if (error === null) resolve(port);
      else reject(new Error(`Cannot listen on ${listen}: the address is in use or not of this machine (${error.message}).`, { cause: error }));
    });
  });
}

function refuseStateOfTheWorld(call: ServerDuplexStream<unknown, Buffer>): void {
  call.emit("error", { code: status.UNIMPLEMENTED, details: "weft serves delta xDS only; set api_type: DELTA_GRPC in ads_config" });
}

const stream = { requestStream: true, responseStream: true, requestSerialize: asIs, responseSerialize: asIs, responseDeserialize: asIs } as const;

const definition = {
  delta: { ...stream, path: `${service}/DeltaAggregatedResources`, requestDeserialize: decodeRequest },
  stateOfTheWorld: { ...stream, path: `${service}/StreamAggregatedResources`, requestDeserialize: asIs },
};

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
