import { execFileSync } from "node:child_process";
import { mkdtemp, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startFilesSource, type FilesSource, type FilesSourceOptions } from "../../../src/files/source.ts";

const logger = pino({ level: "silent" });
let directory: string;
let source: FilesSource | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "weft-files-"));
});
afterEach(async () => {
  await source?.stop();
  source = undefined;
  await rm(directory, { recursive: true, force: true });
});

async function start(options: Partial<FilesSourceOptions> = {}): Promise<FilesSource> {
  source = await startFilesSource({ directory, logger, ...options });
  return source;
}

function put(name: string, text: string): Promise<void> {
  return writeFile(join(directory, name), text);
}

function account(name: string): string {
  return `apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: ${name}, namespace: shop}\n`;
}

function accounts(from: FilesSource): string[] {
  return [...from.current().objects.ServiceAccount.keys()];
}

const podText = `
apiVersion: v1
kind: Pod
metadata: {name: web-1, namespace: shop, labels: {app: web}}
spec: {containers: [{name: app, image: x, ports: [{containerPort: 8080}]}]}
status: {podIP: 10.0.0.1}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`;

describe("startFilesSource", () => {
  it("reads a tree, and derives what a cluster would add", async () => {
    await mkdir(join(directory, "apps"));
    await put("apps/web.yaml", podText);
    await put("list.json", JSON.stringify({ apiVersion: "v1", kind: "List", items: [{ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "a" } }] }));

    const { objects, problems } = (await start()).current();

    expect(problems).toEqual([]);
    expect([...objects.ServiceAccount.keys()]).toEqual(["default/a"]);
    expect(objects.Namespace.get("shop")?.metadata.labels).toEqual({ "kubernetes.io/metadata.name": "shop" });
    expect(objects.Pod.get("shop/web-1")).toMatchObject({ ready: true, raw: { spec: { containers: [{ image: "x" }] } } });
    expect(objects.Pod.get("shop/web-1")?.metadata.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(objects.EndpointSlice.get("shop/web-ipv4-0")?.endpoints).toMatchObject([{ address: "10.0.0.1", ready: true, pod: "web-1" }]);
  });

  it("tells which kinds changed, and keeps the identity of what did not", async () => {
    await put("web.yaml", podText);
    const running = await start();
    const before = running.current().objects;
    const changes: string[][] = [];
    running.onChange((kinds) => changes.push([...kinds]));

    await put("web.yaml", `${podText}---\n${account("new")}`);

    await vi.waitFor(() => expect(changes).toEqual([["ServiceAccount"]]));
    expect(running.current().objects.Pod).toBe(before.Pod);
    expect(running.current().objects.EndpointSlice).toBe(before.EndpointSlice);
  });

  it("keeps the last good objects of a half-written file, with a Problem, until it is whole", async () => {
    await put("a.yaml", account("one"));
    const running = await start();

    await put("a.yaml", "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: tw");
    await vi.waitFor(() => expect(running.current().problems).toMatchObject([{ code: "object-unreadable", object: { kind: "File", name: "a.yaml" } }]));
    expect(accounts(running)).toEqual(["shop/one"]);

    await put("a.yaml", account("two"));
    await vi.waitFor(() => expect(accounts(running)).toEqual(["shop/two"]));
    expect(running.current().problems).toEqual([]);
  });

  it("drops a removed file's objects and follows a renamed one", async () => {
    await put("a.yaml", account("one"));
    await put("b.yaml", account("two"));
    const running = await start();

    await rm(join(directory, "a.yaml"));
    await rename(join(directory, "b.yaml"), join(directory, "c.yaml"));

    await vi.waitFor(() => expect(accounts(running)).toEqual(["shop/two"]));
  });

  it("watches folders that are made later", async () => {
    const running = await start();

    await mkdir(join(directory, "later"));
    await put("later/a.yaml", account("one"));

    await vi.waitFor(() => expect(accounts(running)).toEqual(["shop/one"]), { timeout: 5000 });
  });

  it("counts the first file of two that hold the same object", async () => {
    await put("b.yaml", account("one"));
    await put("a.yaml", account("one"));

    const { problems } = (await start()).current();

    expect(problems).toEqual([
      {
        severity: "error",
        code: "object-duplicate",
        object: { kind: "ServiceAccount", namespace: "shop", name: "one" },
        sentence: "It stands in a.yaml and in b.yaml; the one in a.yaml counts. Remove the other.",
      },
    ]);
  });

  it("names the file that counts for a third one too", async () => {
    for (const name of ["a.yaml", "b.yaml", "c.yaml"]) await put(name, account("one"));

    const { problems } = (await start()).current();

    expect(problems.map(({ sentence }) => sentence)).toEqual([
      "It stands in a.yaml and in b.yaml; the one in a.yaml counts. Remove the other.",
      "It stands in a.yaml and in c.yaml; the one in a.yaml counts. Remove the other.",
    ]);
  });

  it("passes over hidden files, as a mounted ConfigMap has them", async () => {
    await mkdir(join(directory, "..data"));
    await put("..data/a.yaml", account("old"));
    await put("a.yaml", account("one"));

    expect(accounts(await start())).toEqual(["shop/one"]);
  });

  it("leaves out an invalid object and a document without kind, and reads the rest", async () => {
    await put("a.yaml", `apiVersion: smi-spec.io/v1beta1\nkind: Canary\nmetadata: {name: c}\nspec: {service: a, backends: []}\n---\nreplicas: 3\n---\n${account("one")}`);

    const running = await start();

    expect(running.current().problems.map(({ code }) => code)).toEqual(["object-invalid", "object-unreadable"]);
    expect(accounts(running)).toEqual(["shop/one"]);
  });

  it("takes weft.yaml for the mesh configuration, refuses a bad one and keeps the last good", async () => {
    await put("weft.yaml", "tls: {mode: strict}\n");
    const running = await start();
    const seen: string[] = [];
    running.onMeshConfig((config) => seen.push(config.trustDomain));
    expect(running.meshConfig()).toMatchObject({ tls: { mode: "strict" }, trustDomain: "weft.local" });

    await put("weft.yaml", "tls: {mode: loose}\n");
    await vi.waitFor(() => expect(running.current().problems).toMatchObject([{ code: "object-invalid", object: { kind: "MeshConfig", name: "weft.yaml" } }]));
    expect(running.meshConfig().tls.mode).toBe("strict");

    await put("weft.yaml", "trustDomain: shop.example\n");
    await vi.waitFor(() => expect(seen).toEqual(["shop.example"]));
    expect(running.current().problems).toEqual([]);
  });

  it("tells its listeners when the configuration alone changed: what is made of the objects depends on it", async () => {
    await put("weft.yaml", "tls: {mode: permissive}\n");
    const running = await start();
    const seen: string[] = [];
    running.onChange((kinds) => seen.push(`${kinds.size} ${running.meshConfig().tls.mode}`));

    await put("weft.yaml", "tls: {mode: strict}\n");

    await vi.waitFor(() => expect(seen).toEqual(["0 strict"]));
  });

  it("takes the file named by config instead", async () => {
    const other = await mkdtemp(join(tmpdir(), "weft-config-"));
    await writeFile(join(other, "mesh.yaml"), "trustDomain: other.example\n");

    const running = await start({ config: join(other, "mesh.yaml") });

    expect(running.meshConfig().trustDomain).toBe("other.example");
    await rm(other, { recursive: true });
  });

  it("is not held up by what is no regular file, nor by a file that is too large", async () => {
    execFileSync("mkfifo", [join(directory, "pipe.yaml")]);
    await symlink("/dev/zero", join(directory, "zero.yaml"));
    await put("large.yaml", `# ${"x".repeat(8 * 1024 * 1024)}\n`);
    await put("a.yaml", account("one"));

    const running = await start();

    expect(accounts(running)).toEqual(["shop/one"]);
    expect(running.current().problems.map(({ object, sentence }) => [object.name, sentence])).toEqual([
      ["large.yaml", "large.yaml cannot be read: it is larger than 8388608 bytes; split it. Its last good content stays in force."],
      ["pipe.yaml", "pipe.yaml cannot be read: it is no regular file. Its last good content stays in force."],
      ["zero.yaml", "zero.yaml cannot be read: it is no regular file. Its last good content stays in force."],
    ]);
  });

  it("enters each directory once, links to it or not, and takes one that is named like a file for a directory", async () => {
    await mkdir(join(directory, "apps.yaml"));
    await put("apps.yaml/a.yaml", account("one"));
    for (const name of ["loop", "round", "turn"]) await symlink(".", join(directory, name));
    await symlink("apps.yaml", join(directory, "again"));
    const elsewhere = await mkdtemp(join(tmpdir(), "weft-elsewhere-"));
    await writeFile(join(elsewhere, "b.yaml"), account("two"));
    await symlink(elsewhere, join(directory, "linked"));

    const running = await start();
    await rm(elsewhere, { recursive: true });

    expect(accounts(running)).toEqual(["shop/one", "shop/two"]);
    expect(running.current().problems).toEqual([]);
  });

  it("tells what is wrong with the configuration that it started with", async () => {
    await put("weft.yaml", "tls: { mode: Strict }\n");
    const running = await start();
    expect(running.configFaults()).toEqual(["tls.mode must be permissive or must be strict"]);

    await put("weft.yaml", "tls: { mode: strict }\n");

    await vi.waitFor(() => expect(running.configFaults()).toEqual([]), { timeout: 5000 });
  });

  it("refuses to start without its directory, and is in trouble when that vanishes later", async () => {
    await expect(start({ directory: join(directory, "nowhere") })).rejects.toThrow(/nowhere cannot be read/);
    await put("a.yaml", account("one"));
    const running = await start();

    await rename(directory, `${directory}-away`);

    await vi.waitFor(() => expect(running.trouble()).toMatch(/cannot be read/), { timeout: 5000 });
    expect(accounts(running)).toEqual(["shop/one"]);
    await rm(`${directory}-away`, { recursive: true });
  });
});
