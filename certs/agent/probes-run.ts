import { isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";
import { askHttp } from "./probes-http.ts";
import { askTcp } from "./probes-tcp.ts";
import type { Asking, Probe, ProbeAnswer } from "./probes.ts";

/**
 * The redirection lets this source through to the application (src/init/rules.ts). The agent runs as the proxy's user, so
 * from any other its call to the pod's own address would meet the inbound listener, which strict mode closes to it.
 */
const probeSource = { ipv4: "127.0.0.6", ipv6: "::6" } as const;
/** The answer must be with the kubelet before it gives up, or its event would not tell what happened. */
const headStart = 100;

/** Performs a probe: 504 when the application does not answer in time, 502 when it cannot be reached. */
export async function runProbe(probe: Probe, host: string, userAgent: string): Promise<ProbeAnswer> {
  const milliseconds = (probe.timeoutSeconds ?? 1) * 1000 - headStart;
  const signal = AbortSignal.timeout(milliseconds);
  try {
    return await ask(probe, { host, localAddress: sourceFor(host), userAgent, signal });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return signal.aborted ? { status: 504, body: `no answer within ${milliseconds} ms\n` } : { status: 502, body: `${reason}\n` };
  }
}

/** Performs a hook until `signal` ends it. Any answer is a success, as for the kubelet. Rejects when there is none. */
export async function runHook(hook: Probe, host: string, call: Pick<Asking, "userAgent" | "signal">): Promise<void> {
  await ask(hook, { host, localAddress: sourceFor(host), ...call });
}

/** All of 127.0.0.0/8 is this machine's; `::6` is the pod's only where `weft init` has made it so. */
function sourceFor(host: string): string | undefined {
  if (isIPv4(host)) return probeSource.ipv4;
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return own.some(({ address }) => address === probeSource.ipv6) ? probeSource.ipv6 : undefined;
}

async function ask(probe: Probe, asking: Asking): Promise<ProbeAnswer> {
  switch (probe.kind) {
    case "httpGet":
      return askHttp(probe, asking);
    case "tcpSocket":
      return askTcp(probe, asking);
    case "grpc":
      // Few pods have one, and HTTP/2 costs memory in each.
      return (await import("./probes-grpc.ts")).askGrpc(probe, asking);
  }
}
