import { readFile } from "node:fs/promises";
import { join } from "node:path";
import jsonPatch, { type Operation } from "fast-json-patch";
import { mapWorkloads } from "../../../src/cli/inject-workloads.ts";
import { readDocuments } from "../../../src/files/yaml.ts";
import { createInjector } from "../../../webhook/inject/injector.ts";
import { config, facts, monitor, tlsConfig } from "../../unit/webhook/inject/mesh-fixture.ts";

type Json = Readonly<Record<string, unknown>>;

/** A manifest of the corpus, and the codes of the decisions on its pods, in their order. */
export interface CorpusCase {
  readonly name: string;
  readonly codes: readonly string[];
}

const injected = ["injected"];

/** Other people's manifests, `corpus/NAME.yaml`. */
export const corpus: readonly CorpusCase[] = [
  { name: "annotations-null", codes: injected },
  { name: "argo-rollout", codes: injected },
  { name: "big-integers", codes: injected },
  { name: "cronjob", codes: injected },
  { name: "daemonset-host-network", codes: ["host-network"] },
  { name: "ephemeral-containers", codes: injected },
  { name: "generate-name-no-labels", codes: injected },
  { name: "guaranteed-resources", codes: injected },
  { name: "host-port", codes: injected },
  { name: "host-users-and-sctp", codes: injected },
  { name: "init-containers-with-network", codes: injected },
  { name: "istio-native-sidecar", codes: ["foreign-sidecar"] },
  { name: "istio-sidecar", codes: ["foreign-sidecar"] },
  { name: "job", codes: injected },
  { name: "kuma-sidecar", codes: ["foreign-sidecar"] },
  { name: "lifecycle-hooks", codes: injected },
  { name: "linkerd-sidecar", codes: ["foreign-sidecar"] },
  { name: "list", codes: ["injected", "injected"] },
  { name: "lists-empty", codes: injected },
  { name: "long-names", codes: injected },
  { name: "names-like-ours", codes: ["name-collision"] },
  { name: "names-nearly-ours", codes: injected },
  { name: "native-sidecars", codes: injected },
  { name: "nginx-deployment", codes: injected },
  { name: "openshift-deployment-config", codes: injected },
  { name: "opted-out", codes: ["pod-opted-out"] },
  { name: "own-resolver", codes: injected },
  { name: "pod-level-resources", codes: injected },
  { name: "port-of-proxy", codes: ["port-collision"] },
  { name: "probes-of-all-kinds", codes: injected },
  { name: "prometheus-annotations", codes: injected },
  { name: "proxy-user-of-container", codes: ["proxy-uid-collision"] },
  { name: "proxy-user-of-pod", codes: ["proxy-uid-collision"] },
  { name: "resource-claims", codes: injected },
  { name: "restricted-pod-security", codes: injected },
  { name: "scheduling", codes: injected },
  { name: "shared-process-namespace", codes: injected },
  { name: "statefulset-with-claims", codes: injected },
  { name: "unknown-fields", codes: injected },
  { name: "volumes-of-all-kinds", codes: injected },
  { name: "windows-node-selector", codes: ["unsupported-os"] },
  { name: "windows-os", codes: ["unsupported-os"] },
  { name: "words-as-strings", codes: injected },
  { name: "yaml-anchors", codes: injected },
];

/** One pod of a manifest: what came, what was decided, what comes out. */
export interface CorpusPod {
  readonly pod: Json;
  readonly code: string;
  readonly rewrites: readonly string[];
  readonly patch: string;
  readonly injected: Json;
}

const injector = createInjector(config, "1.36");
/** Everything selects every pod, so that each gets all that injection can add. */
const around = facts({ tlsConfigs: [tlsConfig("tls", {})], monitors: [monitor("metrics", {})] });

/** Injects one pod, or pod template, as the webhook would. */
export function injectPod(pod: Json): CorpusPod {
  const injection = injector.inject({ pod, namespace: "shop", facts: around });
  if (injection === undefined) throw new Error("no pod");
  const operations = JSON.parse(injection.patch) as Operation[];
  const after = jsonPatch.applyPatch(structuredClone(pod), operations, true).newDocument as Json;
  const { decision, rewrites, patch } = injection;
  return { pod, code: decision.code, rewrites, patch, injected: after };
}

export async function readManifest(name: string): Promise<readonly unknown[]> {
  const file = join(import.meta.dirname, "corpus", `${name}.yaml`);
  const { documents, problems } = readDocuments(await readFile(file, "utf8"), file);
  if (problems.length > 0) throw new Error(problems.join("; "));
  return documents;
}

/** The pods and pod templates of a manifest, injected. */
export function injectManifest(documents: readonly unknown[]): readonly CorpusPod[] {
  const pods: CorpusPod[] = [];
  for (const document of documents) {
    mapWorkloads(document, "shop", ({ pod }) => {
      pods.push(injectPod(pod));
      return pod;
    });
  }
  return pods;
}

/** Pods of a size that nobody wants to read. */
export const largePods: readonly (readonly [string, Json])[] = [
  ["100 containers", { apiVersion: "v1", kind: "Pod", metadata: { name: "containers" }, spec: { containers: numbered(100, (number) => ({ name: `c-${number}`, image: "app:1", livenessProbe: { httpGet: { path: "/", port: 8000 + number } } })) } }],
  ["2,000 variables", { apiVersion: "v1", kind: "Pod", metadata: { name: "variables" }, spec: { containers: [{ name: "app", image: "app:1", env: numbered(2000, (number) => ({ name: `V_${number}`, value: "$(V_0) ".repeat(10) })) }] } }],
];

function numbered<T>(count: number, make: (number: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
