import { execFile } from "node:child_process";
import { access, readdir, realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { sortedBy } from "../std/sort.ts";
import type { Item } from "./archive.ts";

const execute = promisify(execFile);

export interface Programs {
  readonly node: string;
  readonly envoy: string;
  /** Any name of it; its nft and legacy variants are taken. */
  readonly iptables: string;
  /** iproute2: an address that redirection over IPv6 needs. */
  readonly ip: string;
}

/**
 * What `weft init` uses, and `standard`, without which nothing loads; the rest of the extensions is for other people's
 * rules. A name that a version of iptables does not have is left out: it is built in there.
 */
const extensions = ["standard", "tcp", "udp", "owner", "multiport", "REDIRECT", "comment", "conntrack", "addrtype", "mark", "MARK"];

/** C libraries before 2.34 load these by name, so that ldd does not tell. */
const nameServices = ["libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2"];

/** Each is one program, which does what the name says by which it is called. */
const multis = { nft: "xtables-nft-multi", legacy: "xtables-legacy-multi" } as const;

const links = ["iptables", "ip6tables"].flatMap((family) =>
  ["", "-save", "-restore"].flatMap((tool) => [
    { name: `${family}${tool}`, target: multis.nft },
    { name: `${family}-nft${tool}`, target: multis.nft },
    { name: `${family}-legacy${tool}`, target: multis.legacy },
  ]),
);

/**
 * The part of the image that changes only with its programs: Node, Envoy and iptables of this machine with the shared
 * libraries that they need, and no shell. Programs keep their paths' meaning: `/lib` and `/usr/lib` are one.
 * @throws when a program or its library is missing.
 */
export async function collectBase(programs: Programs): Promise<Item[]> {
  const [nft, legacy] = await Promise.all([findMulti(programs.iptables, multis.nft), findMulti(programs.iptables, multis.legacy)]);
  const libraries = await librariesOf([programs.node, programs.envoy, programs.ip, nft, legacy]);
  const modules = await extensionsBeside(libraries);
  const needed = new Set([...libraries, ...(await librariesOf(modules)), ...(await existing(libraries, nameServices)), ...modules]);
  return withDirectories([
    ...skeleton,
    { kind: "copy", path: "usr/local/bin/node", source: programs.node, mode: 0o755 },
    { kind: "copy", path: "usr/local/bin/envoy", source: programs.envoy, mode: 0o755 },
    { kind: "copy", path: "usr/sbin/ip", source: programs.ip, mode: 0o755 },
    { kind: "copy", path: `usr/sbin/${multis.nft}`, source: nft, mode: 0o755 },
    { kind: "copy", path: `usr/sbin/${multis.legacy}`, source: legacy, mode: 0o755 },
    ...links.map(({ name, target }): Item => ({ kind: "symlink", path: `usr/sbin/${name}`, target })),
    ...[...needed].map((library): Item => ({ kind: "copy", path: inMergedUsr(library), source: library, mode: 0o755 })),
  ]);
}

/** The part that changes with every build: our bundle, and the command `weft`, which needs no shell. */
export async function collectBundle(directory: string): Promise<Item[]> {
  const files = (await readdir(directory, { recursive: true })).filter((name) => name.endsWith(".mjs"));
  if (!files.includes("weft.mjs")) throw new Error(`${directory} has no bundle: run make build`);
  return withDirectories([
    ...files.map((name): Item => ({ kind: "copy", path: `usr/local/lib/weft/${name}`, source: join(directory, name) })),
    // Without an extension this is CommonJS, where `import` is a function.
    { kind: "text", path: "usr/local/bin/weft", text: '#!/usr/local/bin/node\nimport("/usr/local/lib/weft/weft.mjs");\n', mode: 0o755 },
  ]);
}

const skeleton: readonly Item[] = [
  ...["bin", "sbin", "lib", "lib64"].map((name): Item => ({ kind: "symlink", path: name, target: `usr/${name}` })),
  ...["usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "usr/local/bin", "usr/local/lib/weft", "proc", "sys", "dev", "run", "var/run"].map((path): Item => ({ kind: "directory", path })),
  { kind: "directory", path: "tmp", mode: 0o1777 },
  { kind: "text", path: "etc/passwd", text: "root:x:0:0:root:/:/sbin/nologin\nweft:x:1337:1337:weft:/:/sbin/nologin\n" },
  { kind: "text", path: "etc/group", text: "root:x:0:\nweft:x:1337:\n" },
  // Legacy iptables locks this file, which it cannot make where the root file system is read-only.
  { kind: "text", path: "run/xtables.lock", text: "" },
  { kind: "text", path: "etc/nsswitch.conf", text: "hosts: files dns\n" },
];

/** Every parent directory that no item makes. */
function withDirectories(items: readonly Item[]): Item[] {
  const present = new Set(items.map((item) => item.path));
  const parents = new Set(items.flatMap((item) => parentsOf(item.path)));
  return [...items, ...[...parents].filter((path) => !present.has(path)).map((path): Item => ({ kind: "directory", path }))];
}

function parentsOf(path: string): string[] {
  const parent = dirname(path);
  return parent === "." ? [] : [parent, ...parentsOf(parent)];
}

async function findMulti(iptables: string, name: string): Promise<string> {
  const program = await realpath(iptables);
  const multi = basename(program) === name ? program : join(dirname(program), name);
  if (await exists(multi)) return multi;
  throw new Error(`${iptables} has no ${name} beside it (${multi}). Install an iptables of version 1.8 or later (Debian: the package iptables).`);
}

async function librariesOf(files: readonly string[]): Promise<string[]> {
  const found = await Promise.all(files.map(readLibraries));
  return sortedBy(new Set(found.flat()), (library) => library);
}

/** Lines of ldd: `libc.so.6 => /lib/…/libc.so.6 (0x…)`, `/lib64/ld-linux-x86-64.so.2 (0x…)`, `libx.so => not found`. */
async function readLibraries(file: string): Promise<string[]> {
  const { stdout } = await execute("ldd", [file]);
  const missing = /^\s*(\S+) => not found$/m.exec(stdout)?.[1];
  if (missing !== undefined) throw new Error(`${file} needs the library ${missing}, which this machine does not have`);
  return [...stdout.matchAll(/(?:^\s*|=> )(\/\S+) \(0x/gm)].flatMap((match) => match[1] ?? []);
}

/** They are in the folder `xtables` beside libxtables, as iptables was configured when it was compiled. */
async function extensionsBeside(libraries: readonly string[]): Promise<string[]> {
  const library = libraries.find((path) => basename(path).startsWith("libxtables.so"));
  if (library === undefined) throw new Error("iptables does not use libxtables, so its extensions cannot be found");
  const folder = join("/", dirname(inMergedUsr(library)), "xtables");
  // Before 1.8.8 some are one per family.
  const files = extensions.flatMap((name) => ["xt", "ipt", "ip6t"].map((kind) => join(folder, `lib${kind}_${name}.so`)));
  const present = await Promise.all(files.map(exists));
  const found = files.filter((_, index) => present[index]);
  if (found.length === 0) throw new Error(`iptables' extensions are not in ${folder}, where its library is`);
  return found;
}

async function existing(libraries: readonly string[], names: readonly string[]): Promise<string[]> {
  const c = libraries.find((path) => basename(path) === "libc.so.6");
  const files = c === undefined ? [] : names.map((name) => join(dirname(c), name));
  const present = await Promise.all(files.map(exists));
  return files.filter((_, index) => present[index]);
}

/** `/lib/x/libc.so.6` → `usr/lib/x/libc.so.6`: one place for what two paths name. */
function inMergedUsr(path: string): string {
  return path.replace(/^\/(?:usr\/)?/, "usr/");
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
