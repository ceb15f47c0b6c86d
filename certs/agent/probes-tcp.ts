import { connect } from "node:net";
import type { Asking, ProbeAnswer, TcpProbe } from "./probes.ts";

/** 200 as soon as the application takes the connection, which is then reset, as the kubelet does. Rejects when it does not. */
export function askTcp({ port }: TcpProbe, { host, localAddress, signal }: Asking): Promise<ProbeAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal, ...(localAddress === undefined ? {} : { localAddress }) });
    socket.on("error", reject).once("connect", () => {
      socket.resetAndDestroy();
      resolve({ status: 200, body: "connected\n" });
    });
  });
}
