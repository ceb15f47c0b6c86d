import { request } from "node:http";

/** Envoy's admin interface, on 127.0.0.1 of the pod. */
export class ProxyAdmin {
  readonly #url: string;

  /** `http://127.0.0.1:15000` */
  constructor(url: string) {
    this.#url = url;
  }

  /** undefined = ready; else a sentence. */
  async notReady(): Promise<string | undefined> {
    try {
      const status = await callLocal("GET", new URL("/ready", this.#url));
      return status === 200 ? undefined : `the proxy answers ${status}`;
    } catch (error) {
      return `the proxy's admin interface cannot be asked: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  async isGone(): Promise<boolean> {
    return callLocal("GET", new URL("/ready", this.#url)).then(() => false, isRefused);
  }

  /** Asks callers to come no more (GOAWAY, Connection: close) while they are still served, over `--drain-time-s`. */
  async drainInbound(): Promise<void> {
    await callLocal("POST", new URL("/drain_listeners?inboundonly&graceful&skip_exit", this.#url));
  }

  /** The proxy ends, with exit code 0. */
  async quit(): Promise<void> {
    await quitLocal(new URL("/quitquitquit", this.#url));
  }
}

/** Asks a process of the pod to end; one that has ended already is fine. Rejects when it may still be there. */
export async function quitLocal(url: URL): Promise<void> {
  try {
    await callLocal("POST", url);
  } catch (error) {
    if (!isRefused(error) && !isReset(error)) throw error;
  }
}

function isRefused(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ECONNREFUSED";
}

/** It may end before it has answered. */
function isReset(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ECONNRESET";
}

function callLocal(method: "GET" | "POST", url: URL): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent: false, timeout: 1000 });
    sent.on("timeout", () => sent.destroy(new Error("no answer within 1 s")));
    sent.on("error", reject);
    sent.on("response", (reply) => {
      reply.resume();
      resolve(reply.statusCode ?? 0);
    });
    sent.end();
  });
}
