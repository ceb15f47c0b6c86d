/** The cluster that the end-to-end test runs on: the one of KUBECONFIG, else kind; and how an image gets there. */
import { spawnSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

export interface Cluster {
  readonly title: string;
  /** Brings the image archive to the nodes. */
  loadImage(archive: string): void;
  /** Takes away what `openCluster` made. */
  close(): void;
}

/** Runs a program with its output shown; throws when it fails. */
function show(program: string, args: readonly string[]): void {
  const result = spawnSync(program, [...args], { stdio: ["ignore", "inherit", "inherit"] });
  if (result.status !== 0) throw new Error(`${program} ${args.join(" ")} ended with code ${String(result.status)}${result.error ? `: ${result.error.message}` : ""}`);
}

function works(program: string, args: readonly string[]): boolean {
  return spawnSync(program, [...args], { stdio: "ignore", timeout: 10_000 }).status === 0;
}

/** @throws Error that says what is missing when there is no cluster to be had. */
export function openCluster(): Cluster {
  if (process.env["KUBECONFIG"] !== undefined) return givenCluster(process.env["KUBECONFIG"]);
  if (works("docker", ["info"]) && works("kind", ["version"])) return kindCluster();
  throw new Error(
    "there is no cluster: KUBECONFIG is not set, and kind needs a running Docker and the programs docker and kind. " +
      'Set KUBECONFIG to a cluster you may install to; beside this repository, shared/cluster makes one: eval "$(../shared/cluster/cluster up)".',
  );
}

/** A cluster somebody else runs. Images: WEFT_LOAD_IMAGE is a command that takes the archive; ours is found. */
function givenCluster(kubeconfig: string): Cluster {
  if (!works("kubectl", ["version"])) throw new Error(`kubectl is missing, or the cluster of KUBECONFIG ${kubeconfig} does not answer: try kubectl version`);
  const loader = process.env["WEFT_LOAD_IMAGE"] ?? sharedClusterLoader(kubeconfig);
  return {
    title: `the cluster of KUBECONFIG=${kubeconfig}`,
    loadImage(archive) {
      if (loader === undefined) throw new Error("how does an image get to this cluster's nodes? Set WEFT_LOAD_IMAGE to a command that takes an OCI archive's path (for kind: 'kind load image-archive')");
      show("sh", ["-c", `${loader} "$1"`, "load", archive]);
    },
    close: () => undefined,
  };
}

/** The loader of shared/cluster, when KUBECONFIG is its own. */
function sharedClusterLoader(kubeconfig: string): string | undefined {
  const own = join(process.env["CLUSTER_DIR"] ?? join(homedir(), ".cache/test-cluster"), "kubeconfig");
  const program = join(import.meta.dirname, "../../../shared/cluster/cluster");
  const same = existsSync(own) && existsSync(kubeconfig) && realpathSync(own) === realpathSync(kubeconfig);
  return same && existsSync(program) ? `bash '${program}' load` : undefined;
}

function kindCluster(): Cluster {
  const name = "weft-e2e";
  const config = join(homedir(), ".cache/weft/kind-kubeconfig");
  show("kind", ["create", "cluster", "--name", name, "--kubeconfig", config, "--wait", "120s"]);
  process.env["KUBECONFIG"] = config;
  return {
    title: `kind, cluster ${name}`,
    loadImage: (archive) => show("kind", ["load", "image-archive", archive, "--name", name]),
    close: () => show("kind", ["delete", "cluster", "--name", name, "--kubeconfig", config]),
  };
}
