import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startControlPlane, type ControlPlane } from "./control-plane.ts";
import { prepareMachine, type Machine } from "./machine.ts";
import { bridgeUp, demoNetwork, networkDown, podNetworkUp } from "./network.ts";
import { createPodProcess, type DemoPodProcess } from "./pod-process.ts";
import type { PodDocument } from "./pod-spec.ts";
import { runProgram } from "./program.ts";
import { appPort, asYaml, demoPods, podDocument, type DemoPod } from "./resources.ts";

/** What an application calls: a URL, and the address behind its name, for want of a DNS server here. */
export interface Target {
  readonly url: string;
  readonly at: string;
}

/** What the steps of the tour work on. */
export class Tour {
  readonly folder: string;
  readonly weft: string;
  readonly machine: Machine;
  readonly #pods = new Map<DemoPod, DemoPodProcess>();
  #controlPlane: ControlPlane | undefined;

  private constructor(folder: string, weft: string, machine: Machine) {
    this.folder = folder;
    this.weft = weft;
    this.machine = machine;
  }

  /** Prepares the machine: a folder, the programs, a bridge. `bundle` is the folder of `weft.mjs`. */
  static async prepare(bundle: string): Promise<Tour> {
    const folder = await mkdtemp(join(tmpdir(), "weft-demo-"));
    await runProgram("chmod", ["755", folder]);
    const machine = await prepareMachine(join(folder, "programs"), bundle);
    await bridgeUp(machine.ip);
    await mkdir(join(folder, "resources"));
    return new Tour(folder, join(bundle, "weft"), machine);
  }

  get isRunning(): boolean {
    return this.#controlPlane !== undefined;
  }

  get controlPlane(): ControlPlane {
    if (this.#controlPlane === undefined) throw new Error("the control plane does not run");
    return this.#controlPlane;
  }

  async startControlPlane(): Promise<ControlPlane> {
    this.#controlPlane = await startControlPlane(this.weft, this.folder);
    return this.#controlPlane;
  }

  pod(name: DemoPod): DemoPodProcess {
    const pod = this.#pods.get(name);
    if (pod === undefined) throw new Error(`pod ${name} does not run`);
    return pod;
  }

  /** What `kubectl apply` is on a cluster: a file appears or changes, whole. */
  async apply(file: string, documents: readonly object[]): Promise<void> {
    const path = join(this.folder, "resources", file);
    await writeFile(`${path}.part`, asYaml(documents));
    await rename(`${path}.part`, path);
  }

  async remove(file: string): Promise<void> {
    await rm(join(this.folder, "resources", file));
  }

  /** Injects a pod with `weft inject`, as its owner would; answers the pod. */
  async inject(name: DemoPod): Promise<PodDocument> {
    const file = join(this.folder, `${name}.yaml`);
    await writeFile(file, asYaml([podDocument(name)]));
    return JSON.parse(await runProgram(this.weft, ["inject", "-f", file, "--resources", join(this.folder, "resources"), "-o", "json"])) as PodDocument;
  }

  /** Starts an injected pod in a network namespace of its own and makes it known, as the kubelet and the API server do. */
  async run(name: DemoPod, pod: PodDocument): Promise<DemoPodProcess> {
    const index = demoPods.indexOf(name);
    const folder = join(this.folder, "pods", name);
    await mkdir(folder, { recursive: true });
    await podNetworkUp(this.machine.ip, name, index);
    const address = demoNetwork.pod(index);
    await this.apply(`pod-${name}.yaml`, [{ ...pod, status: { phase: "Running", podIP: address, podIPs: [{ ip: address }] } }]);
    const running = createPodProcess(pod, {
      ip: this.machine.ip,
      folder,
      programs: this.machine.programs,
      address,
      trustBundle: this.controlPlane.trustBundle,
      token: () => runProgram(this.weft, ["token", "--state", join(this.folder, "state"), "--pod", `demo/${name}`]),
    });
    this.#pods.set(name, running);
    await running.start();
    return running;
  }

  /** Asks the application of `from` to call a target `times` times; how often each answer came. */
  async call(from: DemoPod, { url, at }: Target, times: number): Promise<Record<string, number>> {
    const query = new URLSearchParams({ url, at, times: String(times) });
    const response = await fetch(`http://${this.pod(from).address}:${appPort}/call?${query.toString()}`, { signal: AbortSignal.timeout(60_000) });
    if (!response.ok) throw new Error(`the application of pod ${from} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as Record<string, number>;
  }

  /** Ends every process, namespace and link it made. */
  async end(): Promise<void> {
    await Promise.all([...this.#pods.values()].map((pod) => pod.stop()));
    await this.#controlPlane?.stop();
    await networkDown(this.machine.ip);
    if (process.env["WEFT_DEMO_KEEP"] === undefined) await rm(this.folder, { recursive: true, force: true });
  }
}
