import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeArchive } from "../../src/build/archive.ts";
import { bundle } from "../../src/build/bundler.ts";
import { collectBase, collectBundle } from "../../src/build/root-file-system.ts";
import { findTool } from "../../src/runtime/tools.ts";

/** The image's root file system, unpacked: programs run in it by chroot, with nothing else of this machine. */
let folder = "";
const namespace = `weft-image-${process.pid}`;
const environment = { PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" };
const execute = promisify(execFile);

async function inImage(...command: string[]): Promise<string> {
  const { stdout, stderr } = await execute("/usr/sbin/chroot", [join(folder, "root"), ...command], { env: environment });
  return stdout + stderr;
}

beforeAll(async () => {
  if (process.getuid?.() !== 0) throw new Error("this test changes its root directory: run it as root");
  folder = await mkdtemp(join(tmpdir(), "weft-image-"));
  await bundle({ entry: "src/cli/main.ts", outputDirectory: join(folder, "dist"), write: true });
  const base = await collectBase({ node: process.execPath, envoy: await findTool("envoy"), iptables: await findTool("iptables"), ip: await findTool("ip") });
  const weft = await collectBundle(join(folder, "dist"));
  await mkdir(join(folder, "root"));
  for (const items of [base, weft]) {
    await writeArchive(join(folder, "layer.tar"), items);
    await execute("tar", ["-C", join(folder, "root"), "-xf", join(folder, "layer.tar")]);
  }
  await execute("ip", ["netns", "add", namespace]);
}, 120_000);

afterAll(async () => {
  await execute("ip", ["netns", "delete", namespace]).catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
});

describe("the image", () => {
  it("runs Envoy", async () => {
    expect(await inImage("envoy", "--version")).toMatch(/\/1\.\d+\.\d+\/Clean\/RELEASE\//);
  });

  it("runs every command of weft, each out of its own bundle", async () => {
    const usage = await inImage("weft");
    const names = [...usage.matchAll(/^ {2}([a-z]+) {2,}/gm)].flatMap((match) => match[1] ?? []);

    const helps = await Promise.all(names.map((name) => inImage("weft", name, "--help")));

    expect(names).toEqual(expect.arrayContaining(["agent", "adapter", "init", "webhook", "controller", "run", "inject"]));
    expect(helps.filter((help) => !/usage/i.test(help))).toEqual([]);
  });

  it.each([
    ["nft", "the kernel has nf_tables"],
    ["legacy", "legacy tables hold rules already"],
  ])("redirects traffic of both families with its own iptables-%s on a read-only root file system, twice", async (filter, because) => {
    const init = ["exec", "ip", "netns", "exec", namespace, "/usr/sbin/chroot", join(folder, "root"), "weft", "init", "--ip-families", "dual"];
    const readOnly = `mount --bind ${join(folder, "root")} ${join(folder, "root")} && mount -o remount,bind,ro ${join(folder, "root")} && mount --bind /proc ${join(folder, "root/proc")}`;
    if (filter === "legacy") for (const tool of ["iptables", "ip6tables"]) await execute("ip", ["netns", "exec", namespace, `${tool}-legacy`, "-A", "OUTPUT", "-p", "udp", "-j", "ACCEPT"]);

    const first = await execute("unshare", ["--mount", "sh", "-c", `${readOnly} && ${init.join(" ")}`], { env: environment });
    const second = await execute("unshare", ["--mount", "sh", "-c", `${readOnly} && ${init.join(" ")}`], { env: environment });

    expect(first.stderr).toBe(
      `weft init: IPv4 traffic is redirected through the proxy (iptables-${filter}: ${because}).\nweft init: IPv6 traffic is redirected through the proxy (ip6tables-${filter}: ${because}).\n`,
    );
    expect(second.stderr).toBe(
      `weft init: IPv4: these rules are in force already, nothing changed (iptables-${filter}: ${because}).\nweft init: IPv6: these rules are in force already, nothing changed (ip6tables-${filter}: ${because}).\n`,
    );
  });

  it("has no shell", async () => {
    await expect(inImage("/bin/sh", "-c", "true")).rejects.toThrow("No such file or directory");
  });
});
