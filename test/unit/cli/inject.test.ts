import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { meshConfigDefaults } from "../../../src/api/mesh-config-defaults.ts";
import { readDocuments } from "../../../src/files/yaml.ts";
import { createInjector } from "../../../webhook/inject/injector.ts";
import { facts, tlsConfig } from "../webhook/inject/mesh-fixture.ts";
import { runWeft } from "./run-weft.ts";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "weft-inject-"));
  const tls = `apiVersion: smi-spec.io/v1beta1
kind: TLSConfig
metadata: { name: tls, namespace: shop }
spec: { selector: { matchLabels: { app: books } } }
`;
  await writeFile(join(directory, "tls.yaml"), tls);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const template = "{ metadata: { labels: { app: books } }, spec: { containers: [{ name: app, image: a }] } }";

function workload(apiVersion: string, kind: string, spec: string): string {
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: books, namespace: shop }\nspec: ${spec}\n`;
}

function inject(input: string, ...flags: readonly string[]) {
  return runWeft(["inject", "-f", "-", "--resources", directory, ...flags], input);
}

describe("weft inject", () => {
  const kinds = [
    ["apps/v1", "Deployment"],
    ["apps/v1", "StatefulSet"],
    ["apps/v1", "DaemonSet"],
    ["apps/v1", "ReplicaSet"],
    ["v1", "ReplicationController"],
    ["batch/v1", "Job"],
    ["apps.openshift.io/v1", "DeploymentConfig"],
    ["argoproj.io/v1alpha1", "Rollout"],
  ] as const;

  it("says so when there is nothing to inject", async () => {
    expect(await runWeft(["inject", "-f", "-"], "kind: Secret\n")).toEqual({ code: 0, stdout: "kind: Secret\n", stderr: "weft inject: there is no Pod and no pod template in the input\n" });
  });

  it("injects every kind with a pod template, and passes the others through as they are", async () => {
    const others = "apiVersion: v1\nkind: Service\nmetadata: { name: s }\nspec: { clusterIP: null, big: 9007199254740993 }\n---\napiVersion: batch.example.com/v1\nkind: Job\nspec: { template: { spec: { containers: [] } } }\n";
    const pod = `apiVersion: v1\nkind: Pod\nmetadata: { name: books, namespace: shop, labels: { app: books } }\nspec: { containers: [{ name: app, image: a }] }\n`;
    const cron = workload("batch/v1", "CronJob", `{ jobTemplate: { spec: { template: ${template} } } }`);
    const list = `apiVersion: v1\nkind: List\nitems: [{ apiVersion: apps/v1, kind: Deployment, metadata: { name: in-list, namespace: shop }, spec: { template: ${template} } }]\n`;
    const input = [...kinds.map(([version, kind]) => workload(version, kind, `{ template: ${template} }`)), pod, cron, list, others].join("---\n");

    const injected = await inject(input, "--report", join(directory, "report.txt"));
    const back = await runWeft(["uninject", "-f", "-"], injected.stdout);

    expect(injected.code).toBe(0);
    expect(injected.stderr.split("\n").filter((line) => line.endsWith("injected: the pod is given its sidecars because of tls-config"))).toHaveLength(11);
    const report = JSON.parse(await readFile(join(directory, "report.txt"), "utf8")) as object[];
    expect(report).toHaveLength(11);
    expect(report[0]).toEqual({
      kind: "Deployment",
      namespace: "shop",
      name: "books",
      decision: "injected",
      code: "injected",
      rules: ["tls-config"],
      sentence: "the pod is given its sidecars because of tls-config",
      warnings: [],
      rewrites: [],
    });
    expect(injected.stdout).toContain("clusterIP: null\n  big: 9007199254740993\n");
    expect(readDocuments(back.stdout, "").documents).toEqual(readDocuments(input, "").documents);
  });

  it("leaves a rejected workload as it is, says why, and ends with 1", async () => {
    const bad = workload("apps/v1", "Deployment", template.replace("{ metadata", "{ template: { metadata").replace(/$/, " }").replace("image: a", "image: a, ports: [{ containerPort: 15001 }]"));

    const { code, stdout, stderr } = await inject(bad);

    expect(code).toBe(1);
    expect(readDocuments(stdout, "").documents).toEqual(readDocuments(bad, "").documents);
    expect(stderr).toBe(
      "weft inject: Deployment shop/books: rejected: port 15001 of container 'app' is taken by a sidecar; weft uses 9125, 15000, 15001, 15006, 15020, 15090: choose another port (port-collision)\n",
    );
  });

  it("skips what nothing selects, unless --inject always stands for the namespace's label", async () => {
    const other = workload("apps/v1", "Deployment", `{ template: ${template.replace("app: books", "app: other")} }`);

    const [enabled, always] = [await inject(other), await inject(other, "--inject", "always")];

    expect([enabled.code, always.code]).toEqual([0, 0]);
    expect(enabled.stderr).toContain("(no-resource-selects-pod)");
    expect(always.stderr).toContain("injected: the pod is given its sidecars because of always");
  });

  it("tells what it cannot read and injects the rest", async () => {
    const { code, stdout, stderr } = await runWeft(["inject", "-f", "-", "-f", join(directory, "nowhere.yaml"), "--inject", "always"], workload("apps/v1", "Deployment", `{ template: ${template} }`));

    expect(code).toBe(1);
    expect(stdout).toContain("weft-proxy");
    expect(stderr).toContain("nowhere.yaml: there is no such file or directory");
  });

  it.each([
    ["no -f", ["inject"], "weft inject: -f, --filename <path> is needed"],
    ["an unknown value of --inject", ["inject", "-f", "-", "--inject", "maybe"], "Allowed choices are enabled, always"],
    ["no version", ["inject", "-f", "-", "--kubernetes-version", "new"], "A version looks like 1.36"],
  ])("ends with 2 for %s", async (_name, args, message) => {
    const { code, stderr } = await runWeft(args);

    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  it("refuses a mesh configuration that cannot be used", async () => {
    const file = join(directory, "weft-config.txt");
    await writeFile(file, "injection: { redirection: magic }\n");

    const { code, stderr } = await runWeft(["inject", "-f", "-", "--config", file], "");

    expect(code).toBe(1);
    expect(stderr).toContain("injection.redirection must be iptables or must be cni or must be none");
  });
});

describe("weft patch and explain", () => {
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "books", namespace: "shop", labels: { app: "books" } }, spec: { containers: [{ name: "app", image: "a" }] } };

  it("prints the very patch that the webhook sends", async () => {
    const sent = createInjector(meshConfigDefaults, "1.36").inject({ pod, namespace: "shop", facts: facts({ tlsConfigs: [tlsConfig("tls", { app: "books" })] }) });

    const { stdout } = await runWeft(["patch", "-f", "-", "--resources", directory], JSON.stringify(pod));

    const [row] = JSON.parse(stdout) as { patch: object[] }[];
    expect(JSON.stringify(row?.patch)).toBe(sent?.patch);
    expect(row).toMatchObject({ kind: "Pod", namespace: "shop", name: "books" });
  });

  it("explains every step with its inputs", async () => {
    const { stdout } = await runWeft(["explain", "-f", "-", "--resources", directory, "-o", "json"], JSON.stringify(pod));

    const [row] = JSON.parse(stdout) as { trace: { step: string }[] }[];
    expect(row).toMatchObject({ decision: "injected", rules: ["tls-config"], resources: [{ kind: "TLSConfig", namespace: "shop", name: "tls" }] });
    expect(row?.trace.find(({ step }) => step === "no-resource-selects-pod")).toEqual({
      step: "no-resource-selects-pod",
      inputs: {
        "tls-config": { considered: 1, selected: ["tls"] },
        monitor: { considered: 0, selected: [] },
        canary: { considered: 0, selected: [] },
        "traffic-split": { considered: 0, selected: [] },
        always: { considered: 0, selected: [] },
      },
      holds: false,
    });
  });
});
