/** `node listen-ports.ts PORT…`: answers each connection with the port and the caller's address, then closes it. Prints `ready` once all listen. */
import { once } from "node:events";
import { createServer } from "node:net";

await Promise.all(
  process.argv.slice(2).map(async (port) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.end(`${port} from ${socket.remoteAddress ?? ""}`);
    });
    server.listen(Number(port), "0.0.0.0");
    await once(server, "listening");
  }),
);
process.stdout.write("ready\n");
