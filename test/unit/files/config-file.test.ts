import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { watchMeshConfig, type WatchedConfig } from "../../../src/files/config-file.ts";

let directory: string;
let watched: WatchedConfig | undefined;
let lines: { readonly level: number; readonly msg: string; readonly reason?: string }[];
const logger = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]) });

beforeEach(async () => {
  lines = [];
  directory = await mkdtemp(join(tmpdir(), "weft-config-"));
});
afterEach(async () => {
  await watched?.stop();
  watched = undefined;
  await rm(directory, { recursive: true, force: true });
});

async function start(): Promise<WatchedConfig> {
  watched = await watchMeshConfig(join(directory, "weft.yaml"), logger);
  return watched;
}

function errors(): (string | undefined)[] {
  return lines.filter(({ level }) => level >= 50).map(({ msg, reason }) => `${msg}: ${reason}`);
}

/** As the kubelet does: a fresh directory, and one rename of the symlink through which all files are seen. */
async function mount(version: string, text: string): Promise<void> {
  await mkdir(join(directory, version));
  await writeFile(join(directory, version, "weft.yaml"), text);
  await symlink(version, join(directory, "..data_tmp"));
  await rename(join(directory, "..data_tmp"), join(directory, "..data"));
}

describe("watchMeshConfig", () => {
  it("follows a mounted ConfigMap", async () => {
    await mount("..1", "tls: {mode: strict}\n");
    await symlink("..data/weft.yaml", join(directory, "weft.yaml"));
    const running = await start();
    const seen: string[] = [];
    running.onChange((config) => seen.push(config.tls.mode));
    expect(running.current().tls.mode).toBe("strict");

    await mount("..2", "tls: {mode: permissive}\n");

    await vi.waitFor(() => expect(seen).toEqual(["permissive"]));
    expect(running.current().tls.mode).toBe("permissive");
  });

  it("refuses a bad one with one line, keeps the last good one, and takes the next good one", async () => {
    await writeFile(join(directory, "weft.yaml"), "trustDomain: first.example\n");
    const running = await start();

    await writeFile(join(directory, "weft.yaml"), "trustDomian: second.example\ninjection: {concurrency: 0}\n");
    await vi.waitFor(() => expect(errors()).toHaveLength(1));
    expect(errors()).toEqual(["mesh configuration refused, the last good one stays: trustDomian is not a known field; injection.concurrency must be >= 1"]);
    expect(running.current().trustDomain).toBe("first.example");

    await writeFile(join(directory, "weft.yaml"), "trustDomain: third.example\n");
    await vi.waitFor(() => expect(running.current().trustDomain).toBe("third.example"));
    expect(errors()).toHaveLength(1);
  });

  it("keeps the last good one when the file is gone, and tells that once, however often it looks", async () => {
    await writeFile(join(directory, "weft.yaml"), "trustDomain: first.example\n");
    const running = await start();

    await rm(join(directory, "weft.yaml"));

    await vi.waitFor(() => expect(errors()).toEqual(["mesh configuration refused, the last good one stays: it is gone"]));
    await expect(vi.waitFor(() => expect(errors()).toHaveLength(2), { timeout: 2500 })).rejects.toThrow("to have a length of 2");
    expect(running.current().trustDomain).toBe("first.example");
  });

  it.each([
    ["a: [", "weft.yaml"],
    ["tls: {mode: loose}\n", "tls.mode must be permissive or must be strict."],
    ["controlPlane: {xds: nonsense}\n", "controlPlane.xds must be HOST:PORT."],
    ["injection: {resources: {proxy: {requests: {cpu: '2'}}}}\n", "injection.resources.proxy.requests.cpu (2) is more than the limit (1)."],
  ])("does not start with %j", async (text, sentence) => {
    await writeFile(join(directory, "weft.yaml"), text);

    await expect(start()).rejects.toThrow(sentence);
  });

  it("does not start without the file it was given", async () => {
    await expect(start()).rejects.toThrow(/^The mesh configuration .*weft\.yaml cannot be used: it is not there\.$/);
  });
});
