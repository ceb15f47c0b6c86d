import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { chown, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { proxyUser } from "../../std/well-known.ts";
import { namespaceOf } from "./network.ts";
import { containerCommand, containerEnvironment, probePort, type Container, type DownwardFields, type PodDocument, type Probe, type Volume } from "./pod-spec.ts";
import { waitFor } from "./program.ts";

/** What a pod of the demo is given by the machine. */
export interface PodPlace {
  /** The program `ip`. */
  readonly ip: string;
  /** Folder of this pod: volumes and logs. */
  readonly folder: string;
  /** Folder with `weft`, `envoy` and `node`, bound to /run/weft-bin in the pod. */
  readonly programs: string;
  readonly address: string;
  readonly trustBundle: string;
  readonly token: () => Promise<string>;
}

export interface DemoPodProcess {
  readonly name: string;
  readonly address: string;
  /** Resolves when every container runs and is ready; rejects with the log of the one that is not. */
  start(): Promise<void>;
  /** Host folder behind a volume. */
  volume(name: string): string;
  /** The process of a container. */
  pid(container: string): number;
  stop(): Promise<void>;
}

/**
 * Runs an injected pod as local processes, in the order a kubelet would: init containers one by one, native sidecars
 * until their startupProbe passes, then the application. Namespaces for network and mounts; no images.
 */
export function createPodProcess(pod: PodDocument, place: PodPlace): DemoPodProcess {
  return new PodRunner(pod, place);
}

class PodRunner implements DemoPodProcess {
  readonly name: string;
  readonly address: string;
  readonly #pod: PodDocument;
  readonly #place: PodPlace;
  readonly #children: { container: string; child: ChildProcess }[] = [];
  #stopped = false;

  constructor(pod: PodDocument, place: PodPlace) {
    this.#pod = pod;
    this.#place = place;
    this.name = pod.metadata.name;
    this.address = place.address;
  }

  async start(): Promise<void> {
    for (const volume of this.#pod.spec.volumes ?? []) await this.#makeVolume(volume);
    for (const container of this.#pod.spec.initContainers ?? []) await this.#startInit(container);
    for (const container of this.#pod.spec.containers) this.#spawn(container);
    for (const container of this.#pod.spec.containers) await this.#probe(container, container.readinessProbe);
  }

  volume(name: string): string {
    return join(this.#place.folder, "volumes", name);
  }

  pid(container: string): number {
    const pid = this.#children.find((running) => running.container === container)?.child.pid;
    if (pid === undefined) throw new Error(`pod ${this.name} has no running container ${container}`);
    return pid;
  }

  /** In reverse order, as native sidecars end: the proxy outlives the application. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { child } of this.#children.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), 3000);
      await ended;
      clearTimeout(late);
    }
  }

  async #startInit(container: Container): Promise<void> {
    const child = this.#spawn(container);
    if (container.restartPolicy === "Always") {
      await this.#probe(container, container.startupProbe);
      return;
    }
    const code = await new Promise((resolve) => child.once("exit", resolve));
    if (code !== 0) throw new Error(`container ${container.name} of pod ${this.name} ended with code ${String(code)}: ${await this.#tail(container)}`);
  }

  #spawn(container: Container): ChildProcess {
    if (this.#stopped) throw new Error(`pod ${this.name} was stopped while it started`);
    const environment = containerEnvironment(container, this.#fields());
    const command = containerCommand(container, environment);
    const log = openSync(this.#logFile(container), "a");
    const child = spawn(this.#place.ip, ["netns", "exec", namespaceOf(this.name), "sh", "-c", this.#script(container), "pod", ...command], {
      env: { ...environment, PATH: "/run/weft-bin:/usr/sbin:/usr/bin:/sbin:/bin" },
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    this.#children.push({ container: container.name, child });
    return child;
  }

  /** `ip netns exec` gave a mount namespace of its own: an empty /run in it holds programs and volumes. */
  #script(container: Container): string {
    const mounts = (container.volumeMounts ?? []).map(({ name, mountPath }) => bind(this.volume(name), mountPath));
    const user = container.securityContext?.runAsUser ?? 65534;
    const group = container.securityContext?.runAsGroup ?? user;
    const become = user === 0 ? "" : `setpriv --reuid ${user} --regid ${group} --clear-groups --no-new-privs `;
    return ["set -e", "mount -t tmpfs tmpfs /run", bind(this.#place.programs, "/run/weft-bin"), ...mounts, `cd '${container.workingDir ?? "/"}'`, `exec ${become}"$@"`].join("\n");
  }

  #fields(): DownwardFields {
    const { metadata, spec } = this.#pod;
    return {
      "metadata.name": metadata.name,
      "metadata.namespace": metadata.namespace,
      "spec.serviceAccountName": spec.serviceAccountName ?? "default",
      "status.podIP": this.address,
    };
  }

  async #makeVolume(volume: Volume): Promise<void> {
    const folder = this.volume(volume.name);
    await mkdir(folder, { recursive: true });
    if (volume.emptyDir !== undefined) await chown(folder, proxyUser, proxyUser);
    for (const source of volume.projected?.sources ?? []) {
      if (source.serviceAccountToken === undefined) continue;
      await writeFile(join(folder, source.serviceAccountToken.path), await this.#place.token());
    }
    if (volume.configMap !== undefined) await writeFile(join(folder, "trust-bundle.pem"), await readFile(this.#place.trustBundle));
  }

  async #probe(container: Container, probe: Probe | undefined): Promise<void> {
    const target = probe?.httpGet;
    if (target === undefined) return;
    const url = `http://${this.address}:${probePort(container, target.port)}${target.path ?? "/"}`;
    const child = this.#children.find((running) => running.container === container.name)?.child;
    await waitFor(`container ${container.name} of pod ${this.name} (${url})`, 30, async () => {
      if (child?.exitCode !== null) throw new Error(`container ${container.name} of pod ${this.name} ended: ${await this.#tail(container)}`);
      return (await answers(url)) ? true : undefined;
    });
  }

  #logFile(container: Container): string {
    return join(this.#place.folder, `${container.name}.log`);
  }

  async #tail(container: Container): Promise<string> {
    return (await readFile(this.#logFile(container), "utf8")).trim().split("\n").slice(-5).join("\n");
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1000) })).ok;
  } catch {
    return false;
  }
}

function bind(from: string, to: string): string {
  return `mkdir -p '${to}' && mount --bind '${from}' '${to}'`;
}
