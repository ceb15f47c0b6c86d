import { Agent, request } from "node:https";
import type { TLSSocket } from "node:tls";

export interface Called {
  readonly status: number;
  readonly body: string;
  /** Subject of the certificate that the server showed. */
  readonly server: string;
}

/** One HTTPS request on a connection of its own. */
export function call(options: { readonly port: number; readonly ca: string; readonly path: string; readonly body?: string; readonly type?: string }): Promise<Called> {
  const { port, ca, path, body, type = "application/json" } = options;
  return new Promise((resolve, reject) => {
    const method = body === undefined ? "GET" : "POST";
    const sent = request({ host: "127.0.0.1", port, path, method, ca, agent: new Agent(), headers: body === undefined ? {} : { "content-type": type } }, (response) => {
      const server = (response.socket as TLSSocket).getPeerCertificate().subject.CN;
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString(), server: String(server) }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
