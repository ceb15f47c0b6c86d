import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, isIPv6, type AddressInfo, type Server, type Socket } from "node:net";
import type { Ingest } from "../monitor/ingest.ts";
import type { Logger } from "../runtime/logger.ts";
import type { Endpoint } from "../std/endpoint.ts";

export interface Listening {
  readonly address: Endpoint;
  stop(): Promise<void>;
}

/** Envoy holds one a worker; an application a few. More would only be a flood. */
const maxConnections = 256;
/** What the kernel may hold while the process is busy with a scrape; it grants at most net.core.rmem_max. */
const receiveBuffer = 4 * 1024 * 1024;

/**
 * Statsd on one port, TCP and UDP.
 * @throws when the port is taken: the address is in the message.
 */
export async function listenStatsd(listen: Endpoint, ingest: Ingest, logger: Logger): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => accept(socket, { ingest, sockets, logger }));
  server.maxConnections = maxConnections;
  server.on("drop", () => logger.warn({ maxConnections }, "statsd connection refused: too many"));
  server.listen(listen.port, listen.host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    const udp = await listenPackets({ host: listen.host, port }, ingest, logger);
    return { address: { host: listen.host, port }, stop: () => stop(server, sockets, udp) };
  } catch (error) {
    server.close();
    throw error;
  }
}

interface Context {
  readonly ingest: Ingest;
  readonly sockets: Set<Socket>;
  readonly logger: Logger;
}

function accept(socket: Socket, { ingest, sockets, logger }: Context): void {
  const lines = ingest.stream();
  sockets.add(socket);
  socket.on("data", (chunk) => lines.write(chunk));
  socket.on("end", () => lines.end());
  socket.on("error", (error) => logger.debug({ err: error }, "statsd connection failed"));
  socket.on("close", () => sockets.delete(socket));
}

async function listenPackets(listen: Endpoint, ingest: Ingest, logger: Logger): Promise<DatagramSocket> {
  const socket = createSocket({ type: isIPv6(listen.host) ? "udp6" : "udp4", recvBufferSize: receiveBuffer });
  socket.on("message", (packet) => ingest.packet(packet));
  socket.bind(listen.port, listen.host);
  await once(socket, "listening");
  socket.on("error", (error) => logger.error({ err: error }, "statsd socket failed"));
  return socket;
}

async function stop(server: Server, sockets: ReadonlySet<Socket>, udp: DatagramSocket): Promise<void> {
  const closed = Promise.all([once(server, "close"), once(udp, "close")]);
  server.close();
  udp.close();
  for (const socket of sockets) socket.destroy();
  await closed;
}
