/** `node call-port.ts UID HOST PORT[/udp] [SOURCE]`: calls as that user, prints what is answered, or the error's code. */
import { createSocket } from "node:dgram";
import { connect } from "node:net";

const [uid = "0", host = "", target = "", source] = process.argv.slice(2);
const [port = "", protocol] = target.split("/");
process.setgroups?.([]);
process.setgid?.(Number(uid));
process.setuid?.(Number(uid));
if (protocol === "udp") callUdp();
else callTcp();

function callTcp(): void {
  const socket = connect({ host, port: Number(port), timeout: 5000, ...(source === undefined ? {} : { localAddress: source }) });
  socket.on("data", (data: Buffer) => process.stdout.write(data));
  socket.on("timeout", () => socket.destroy(Object.assign(new Error("timeout"), { code: "ETIMEDOUT" })));
  socket.on("error", (error: NodeJS.ErrnoException) => process.stdout.write(error.code ?? error.message));
}

function callUdp(): void {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  const deadline = setTimeout(() => finish("ETIMEDOUT"), 5000);
  function finish(answer: string): void {
    clearTimeout(deadline);
    process.stdout.write(answer);
    socket.close();
  }
  socket.on("message", (data) => finish(data.toString()));
  socket.send("?", Number(port), host);
}
