import { createServer, connect, type Server, type Socket } from "node:net";
import { readFile, writeFile } from "node:fs/promises";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { MeshKind, ObjectSource } from "../../src/api/objects.ts";
import { createKubeClient } from "../../src/k8s/client.ts";
import { startK8sSource } from "../../src/k8s/source.ts";
import { findFreePort, startApiServer, type TestApiServer } from "../support/apiserver.ts";

const lines: string[] = [];
const logger = pino({ level: "info" }, { write: (line: string) => lines.push(line) });
const waiting = { timeout: 30_000, interval: 50 };
const accounts = "/api/v1/namespaces/default/serviceaccounts";

let server: TestApiServer;
beforeAll(async () => {
  server = await startApiServer();
});
afterAll(() => server?.stop());

async function withSource(kubeconfig: string, kinds: readonly MeshKind[], body: (source: ObjectSource) => Promise<void>): Promise<void> {
  const source = startK8sSource({ client: createKubeClient(kubeconfig), kinds, logger });
  try {
    await source.synced;
    await body(source);
  } finally {
    await source.stop();
  }
}

function names(source: ObjectSource): string[] {
  return [...source.current().objects.ServiceAccount.keys()].filter((key) => key.startsWith("default/")).toSorted();
}

async function makeAccount(name: string): Promise<void> {
  expect(await server.call("POST", accounts, { metadata: { name } })).toMatchObject({ status: 201 });
}

/** Connections to the API server that a test can cut. */
async function startWire(): Promise<{ kubeconfig: string; cut(): void; mend(): Promise<void>; end(): Promise<void> }> {
  const port = await findFreePort();
  const target = Number(new URL(server.url).port);
  const sockets = new Set<Socket>();
  let listener: Server | undefined;
  function relay(socket: Socket): void {
    const upstream = connect(target, "127.0.0.1");
    for (const [end, other] of [[socket, upstream], [upstream, socket]] as const) {
      sockets.add(end);
      end.on("error", () => other.destroy());
      end.on("close", () => other.destroy());
      end.pipe(other);
    }
  }
  function cut(): void {
    listener?.close();
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  }
  async function mend(): Promise<void> {
    listener = createServer(relay);
    await new Promise<void>((resolve) => listener?.listen(port, "127.0.0.1", resolve));
  }
  await mend();
  const kubeconfig = `${server.kubeconfig}-wire`;
  await writeFile(kubeconfig, (await readFile(server.kubeconfig, "utf8")).replace(server.url, `https://127.0.0.1:${port}`));
  return { kubeconfig, cut, mend, end: async () => cut() };
}

describe("startK8sSource", () => {
  it("lists more than a page, then follows what is made, changed and deleted", async () => {
    await Promise.all(Array.from({ length: 520 }, (_, index) => makeAccount(`many-${index}`)));

    await withSource(server.kubeconfig, ["ServiceAccount", "Namespace"], async (source) => {
      const changes: MeshKind[] = [];
      source.onChange((kinds) => changes.push(...kinds));
      expect(names(source).filter((name) => name.startsWith("default/many-"))).toHaveLength(520);
      expect(source.current().objects.Namespace.get("default")?.metadata.labels).toEqual({ "kubernetes.io/metadata.name": "default" });
      const before = source.current().objects.ServiceAccount;

      await makeAccount("fresh");
      await vi.waitFor(() => expect(names(source)).toContain("default/fresh"), waiting);
      await server.call("DELETE", `${accounts}/many-0`);
      await vi.waitFor(() => expect(names(source)).not.toContain("default/many-0"), waiting);

      expect(before.has("default/many-0")).toBe(true);
      expect(new Set(changes)).toEqual(new Set(["ServiceAccount"]));
      expect(source.trouble()).toBeUndefined();
    });
  });

  it("tells no change when nothing changes that it reads", async () => {
    await makeAccount("quiet");
    await withSource(server.kubeconfig, ["ServiceAccount"], async (source) => {
      const changes: unknown[] = [];
      await new Promise(setImmediate);
      source.onChange((kinds) => changes.push(kinds));

      await server.call("PUT", `${accounts}/quiet`, { metadata: { name: "quiet", annotations: { note: "x" } } });
      await makeAccount("loud");
      await vi.waitFor(() => expect(names(source)).toContain("default/loud"), waiting);

      // Listeners are told a moment after the state is there.
      await vi.waitFor(() => expect(changes).toHaveLength(1), waiting);
    });
  });

  it("survives a restart of the API server, and says that it is away meanwhile", async () => {
    await withSource(server.kubeconfig, ["ServiceAccount"], async (source) => {
      await server.halt();
      await vi.waitFor(() => expect(source.trouble()).toMatch(/^ServiceAccount: The API server .* does not answer/), waiting);
      expect(names(source)).toContain("default/many-1");

      await server.resume();
      await makeAccount("after-restart");

      await vi.waitFor(() => expect(names(source)).toContain("default/after-restart"), waiting);
      expect(source.trouble()).toBeUndefined();
    });
  });

  it("lists anew when the history it wants is gone", async () => {
    const wire = await startWire();
    await withSource(wire.kubeconfig, ["ServiceAccount"], async (source) => {
      wire.cut();
      await server.call("DELETE", `${accounts}/many-2`);
      await makeAccount("after-compaction");
      await server.compact();
      // The API server's own cache remembers more than etcd does.
      await server.halt();
      await server.resume();
      await wire.mend();

      await vi.waitFor(() => expect(names(source)).toContain("default/after-compaction"), waiting);
      expect(names(source)).not.toContain("default/many-2");
      expect(lines.filter((line) => line.includes("history is gone"))).toHaveLength(1);
    }).finally(() => wire.end());
  });

  it("takes a kind whose CRD is not installed for empty", async () => {
    await withSource(server.kubeconfig, ["TrafficSplit"], async (source) => {
      expect(source.current().objects.TrafficSplit.size).toBe(0);
      expect(source.trouble()).toBeUndefined();
    });
  });

  it("says what it may not read", async () => {
    const kubeconfig = `${server.kubeconfig}-nobody`;
    await writeFile(kubeconfig, (await readFile(server.kubeconfig, "utf8")).replace(server.token, "wrong"));
    const source = startK8sSource({ client: createKubeClient(kubeconfig), kinds: ["ServiceAccount"], logger });

    await vi.waitFor(() => expect(source.trouble()).toMatch(/^ServiceAccount: GET \/api\/v1\/serviceaccounts: 401 /), waiting);
    await source.stop();
  });
});
