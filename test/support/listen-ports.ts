/** `node listen-ports.ts PORT…`: answers each connection and each datagram with the port and the caller's address, by IPv4 and IPv6. Prints `ready` once all listen. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

const anyAddress = ["0.0.0.0", "::"] as const;

async function listenTcp(port: number, host: string): Promise<void> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.end(`${port} from ${socket.remoteAddress ?? ""}`);
  });
  server.listen({ port, host, ipv6Only: true });
  await once(server, "listening");
}

async function listenUdp(port: number, address: string): Promise<void> {
  const socket = createSocket(address === "::" ? { type: "udp6", ipv6Only: true } : { type: "udp4" });
  socket.on("message", (_, from) => socket.send(`${port} from ${from.address}`, from.port, from.address));
  socket.bind(port, address);
  await once(socket, "listening");
}

const ports = process.argv.slice(2).map(Number);
await Promise.all(ports.flatMap((port) => anyAddress.flatMap((address) => [listenTcp(port, address), listenUdp(port, address)])));
process.stdout.write("ready\n");
