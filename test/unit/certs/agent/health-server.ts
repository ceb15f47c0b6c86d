import { request, type IncomingMessage } from "node:http";
import { startHealth, type HealthHandle, type HealthOptions } from "../../../../certs/agent/health.ts";
import { parseProbes } from "../../../../certs/agent/probes.ts";
import { ProxyAdmin } from "../../../../certs/agent/proxy-admin.ts";
import { silent } from "../running-ca.ts";

/** The agent's HTTP server with WEFT_PROBES as injection writes it; the caller stops it. */
export function health(probes: object, change: Partial<HealthOptions> = {}): Promise<HealthHandle> {
  const listen = { host: "127.0.0.1", port: 0 };
  const proxy = new ProxyAdmin("http://127.0.0.1:9");
  return startHealth({ listen, isReady: () => true, proxy, probes: parseProbes(JSON.stringify(probes)), podIp: "127.0.0.1", quit: undefined, logger: silent, ...change });
}

/** One call as the kubelet makes it. Rejects when the connection ends without an answer. */
export function call(address: string, path: string, options: { readonly method?: string; readonly localAddress?: string; readonly signal?: AbortSignal } = {}): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(`http://${address}${path}`, { agent: false, headers: { "user-agent": "kube-probe/1.36" }, ...options });
    sent.on("error", reject).on("response", (answer: IncomingMessage) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (chunk) => (body += String(chunk)));
      answer.on("end", () => resolve({ status: answer.statusCode, body }));
    });
    sent.end();
  });
}
