/** `node call-port.ts UID HOST PORT [SOURCE]`: connects as that user, prints what is answered, or the error's code. */
import { connect } from "node:net";

const [uid = "0", host = "", port = "", source] = process.argv.slice(2);
process.setgroups?.([]);
process.setgid?.(Number(uid));
process.setuid?.(Number(uid));
const socket = connect({ host, port: Number(port), timeout: 5000, ...(source === undefined ? {} : { localAddress: source }) });
socket.on("data", (data: Buffer) => process.stdout.write(data));
socket.on("timeout", () => socket.destroy(Object.assign(new Error("timeout"), { code: "ETIMEDOUT" })));
socket.on("error", (error: NodeJS.ErrnoException) => process.stdout.write(error.code ?? error.message));
