import { spawn, type ChildProcess } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { findTool } from "../../src/runtime/tools.ts";

/**
 * A real kube-apiserver on a real etcd, on loopback, for one test file. There is no controller manager: nothing makes
 * service accounts (a Pod needs its `default` made first) or EndpointSlices, and nothing collects garbage.
 */
export interface TestApiServer {
  readonly url: string;
  /** Of an administrator (group system:masters). */
  readonly kubeconfig: string;
  readonly token: string;
  /** File that a client trusts. */
  readonly caFile: string;
  /** The API server's key for service-account tokens, as PEM. */
  readonly serviceAccountKeyFile: string;
  /** One raw request as administrator; resolves with status and parsed body, whatever the status. */
  call(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: unknown }>;
  /** Kills the API server alone; etcd keeps what was written. */
  halt(): Promise<void>;
  /** Starts it again, at the same address. */
  resume(): Promise<void>;
  /** Compacts etcd's history up to now. */
  compact(): Promise<void>;
  stop(): Promise<void>;
}

export interface ApiServerOptions {
  /** Further flags of kube-apiserver. */
  readonly flags?: readonly string[];
}

interface Files {
  readonly directory: string;
  readonly token: string;
  readonly etcdUrl: string;
  readonly port: number;
}

/** Starts both and resolves when the API server is ready (about 6 s). */
export async function startApiServer(options: ApiServerOptions = {}): Promise<TestApiServer> {
  const directory = await mkdtemp(join(tmpdir(), "weft-apiserver-"));
  const [clientPort, peerPort, port] = [await findFreePort(), await findFreePort(), await findFreePort()];
  const files: Files = { directory, token: randomBytes(16).toString("hex"), etcdUrl: `http://127.0.0.1:${clientPort}`, port };
  await writeCredentials(files);
  const etcd = run(await findTool("etcd"), etcdFlags(files, peerPort), join(directory, "etcd.log"));
  const program = await findTool("kube-apiserver");
  let server = start();
  function start(): ChildProcess {
    return run(program, [...apiServerFlags(files), ...(options.flags ?? [])], join(directory, "apiserver.log"));
  }
  function call(method: string, path: string, body?: unknown): ReturnType<typeof callServer> {
    return callServer(files, { method, path, body });
  }
  async function stop(): Promise<void> {
    await end(server);
    await end(etcd);
    await rm(directory, { recursive: true, force: true });
  }
  try {
    await waitUntilReady(call, server, directory);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `https://127.0.0.1:${port}`,
    kubeconfig: join(directory, "kubeconfig"),
    token: files.token,
    caFile: join(directory, "apiserver.crt"),
    serviceAccountKeyFile: join(directory, "sa.key"),
    call,
    halt: () => end(server),
    resume: async () => {
      server = start();
      await waitUntilReady(call, server, directory);
    },
    compact: () => compactEtcd(files.etcdUrl),
    stop,
  };
}

/** A port that was free a moment ago. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (address !== null && typeof address === "object" ? resolve(address.port) : reject(new Error("no port"))));
    });
  });
}

async function writeCredentials({ directory, token, port }: Files): Promise<void> {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await writeFile(join(directory, "sa.key"), privateKey.export({ type: "pkcs8", format: "pem" }));
  await writeFile(join(directory, "tokens.csv"), `${token},admin,admin,system:masters\n`);
  const kubeconfig = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    clusters: [{ name: "test", cluster: { server: `https://127.0.0.1:${port}`, "certificate-authority": join(directory, "apiserver.crt") } }],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
  };
  await writeFile(join(directory, "kubeconfig"), JSON.stringify(kubeconfig));
}

/** Without fsync: nothing here outlives the test. */
function etcdFlags({ directory, etcdUrl }: Files, peerPort: number): string[] {
  const peer = `http://127.0.0.1:${peerPort}`;
  return [
    `--data-dir=${join(directory, "etcd")}`,
    `--listen-client-urls=${etcdUrl}`,
    `--advertise-client-urls=${etcdUrl}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    "--unsafe-no-fsync",
    "--log-level=warn",
  ];
}

/** It makes its own serving certificate in `--cert-dir`; a loopback address may not stand in Endpoints, so nobody reconciles them. */
function apiServerFlags({ directory, etcdUrl, port }: Files): string[] {
  const key = join(directory, "sa.key");
  return [
    `--etcd-servers=${etcdUrl}`,
    `--cert-dir=${directory}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${port}`,
    `--token-auth-file=${join(directory, "tokens.csv")}`,
    "--authorization-mode=RBAC",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    "--service-cluster-ip-range=10.96.0.0/16",
    "--endpoint-reconciler-type=none",
    "--profiling=false",
  ];
}

function run(program: string, flags: readonly string[], log: string): ChildProcess {
  const child = spawn(program, flags, { stdio: ["ignore", "pipe", "pipe"] });
  const sink = createWriteStream(log, { flags: "a" });
  child.stdout?.pipe(sink, { end: false });
  child.stderr?.pipe(sink, { end: false });
  function kill(): void {
    child.kill("SIGKILL");
  }
  process.once("exit", kill);
  child.once("exit", () => {
    process.off("exit", kill);
    sink.end();
  });
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}

async function waitUntilReady(call: TestApiServer["call"], server: ChildProcess, directory: string): Promise<void> {
  const deadline = Date.now() + 90_000;
  for (;;) {
    const ready = await call("GET", "/readyz").catch(() => undefined);
    if (ready?.status === 200) return;
    if (server.exitCode !== null || Date.now() > deadline) {
      const log = await readFile(join(directory, "apiserver.log"), "utf8");
      throw new Error(`kube-apiserver did not become ready:\n${log.slice(-3000)}`);
    }
    await delay(100);
  }
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

async function callServer({ directory, token, port }: Files, { method, path, body }: Call): Promise<{ status: number; body: unknown }> {
  const ca = await readFile(join(directory, "apiserver.crt"));
  const contentType = method === "PATCH" ? "application/apply-patch+yaml" : "application/json";
  const headers = { authorization: `Bearer ${token}`, "content-type": contentType };
  return await new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, path, method, ca, headers, agent: false, timeout: 20_000 }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text.startsWith("{") ? JSON.parse(text) : text }));
    });
    outgoing.on("error", reject);
    outgoing.on("timeout", () => outgoing.destroy(new Error("timeout")));
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Through etcd's JSON gateway: asks the revision now, then compacts up to it. */
async function compactEtcd(url: string): Promise<void> {
  const { header } = await postEtcd(`${url}/v3/kv/range`, { key: "AA==" });
  await postEtcd(`${url}/v3/kv/compaction`, { revision: (header as { revision: string }).revision, physical: true });
}

async function postEtcd(url: string, body: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}
