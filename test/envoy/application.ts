/**
 * `node application.ts NAME`: 8080 answers HTTP with what it was asked, by IPv6 too; 9000 speaks first, as MySQL does; 9100 answers
 * HTTP or, when the first bytes are none, echoes them; 9200 answers HTTP/2 alone, as gRPC does; 9300, of
 * which no Service knows, speaks first. Prints `ready` once all listen.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer as createTcpServer, type Socket } from "node:net";

const [name = ""] = process.argv.slice(2);
function tell(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader("server", "application");
  response.end(JSON.stringify({ name, url: request.url, version: request.httpVersion, peer: request.socket.remoteAddress, headers: request.rawHeaders }));
}

const http = createServer(tell);
const http6 = createServer(tell);

function greet(socket: Socket): void {
  socket.on("error", () => undefined);
  socket.write(`${name} speaks first\n`);
  socket.pipe(socket);
}

function look(socket: Socket): void {
  socket.on("error", () => undefined);
  socket.once("data", (data) => {
    if (!data.toString("latin1").startsWith("GET ")) {
      socket.write(`${name} echoes ${data.toString("latin1")}`);
      return;
    }
    socket.pause();
    socket.unshift(data);
    http.emit("connection", socket);
    socket.resume();
  });
}

const http2 = createHttp2Server((request, response) => response.end(JSON.stringify({ name, url: request.url, version: request.httpVersion })));
const servers = [http2.listen(9200, "0.0.0.0"), http.listen(8080, "0.0.0.0"), http6.listen({ port: 8080, host: "::", ipv6Only: true }), createTcpServer(greet).listen(9000, "0.0.0.0"), createTcpServer(look).listen(9100, "0.0.0.0"), createTcpServer(greet).listen(9300, "0.0.0.0")];
await Promise.all(servers.map((server) => once(server, "listening")));
process.stdout.write("ready\n");
