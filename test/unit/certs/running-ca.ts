import { request } from "node:https";
import type { IncomingHttpHeaders } from "node:http";
import type { WorkloadSettings } from "../../../src/api/certificates.ts";
import type { Workload } from "../../../src/mesh/snapshot.ts";
import { createLogger } from "../../../src/runtime/logger.ts";
import { openAuthority, type Authority } from "../../../certs/ca/authority.ts";
import { openEmbeddedTokens, type EmbeddedTokens } from "../../../certs/ca/embedded-tokens.ts";
import { startCa, type CaHandle, type StartCaOptions } from "../../../certs/ca/start.ts";
import { createMemoryStore } from "./ca/memory-store.ts";

export interface RunningCa extends CaHandle {
  readonly authority: Authority;
  readonly tokens: EmbeddedTokens;
  /** What the mesh knows; call `changed` after a change. */
  readonly workloads: Map<string, Workload>;
  readonly settings: Map<string, WorkloadSettings>;
  readonly changed: () => void;
  readonly token: (pod?: string, change?: object) => string;
}

export const silent = createLogger("test", "silent");

export function workloadOf(key: string, change: Partial<Workload> = {}): Workload {
  const [namespace = "", name = ""] = key.split("/");
  return {
    key,
    namespace,
    name,
    uid: `uid-of-${name}`,
    serviceAccount: "web",
    identity: `spiffe://weft.local/ns/${namespace}/sa/web`,
    labels: {},
    addresses: [],
    inMesh: true,
    tlsMode: "strict",
    subjectNames: [],
    monitors: [],
    ports: new Map(),
    ...change,
  };
}

/** A CA on a free port of loopback, over real HTTPS, that knows the pod bookstore/web-1. */
export async function runCa(change: Partial<StartCaOptions> = {}): Promise<RunningCa> {
  const authority = await openAuthority(createMemoryStore(), { trustDomain: "weft.local", now: Date.now });
  const tokens = await openEmbeddedTokens(createMemoryStore(), Date.now);
  const workloads = new Map([["bookstore/web-1", workloadOf("bookstore/web-1", { subjectNames: ["web.example.com"] })]]);
  const settings = new Map<string, WorkloadSettings>([["bookstore/web-1", { metricLabels: { app: "web" }, subjectNames: ["web.example.com"] }]]);
  const listeners = new Set<() => void>();
  const handle = await startCa({
    listen: { host: "127.0.0.1", port: 0 },
    authority,
    servingNames: { dns: ["weft-controller.weft-system.svc"], ips: ["127.0.0.1"] },
    authenticate: tokens.authenticate,
    workload: (key) => workloads.get(key),
    settings: (key) => settings.get(key),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ttlSeconds: () => 3600,
    logger: silent,
    ...change,
  });
  return {
    ...handle,
    authority,
    tokens,
    workloads,
    settings,
    changed: () => listeners.forEach((listener) => listener()),
    token: (pod = "web-1", more = {}) => tokens.mint({ namespace: "bookstore", pod, audience: "weft-ca", expiresInSeconds: 600, ...more }),
  };
}

export interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** One HTTPS request that trusts the CA's own root, and nothing else. */
export function ask(ca: RunningCa, asked: Asked): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(asked.path, ca.address), { method: asked.method ?? "GET", headers: { ...asked.headers }, ca: ca.authority.trustBundle(), agent: false });
    sent.on("error", reject).on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => (text += String(chunk)));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    sent.end(asked.body);
  });
}
