import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseMeshConfig } from "../../src/api/mesh-config-defaults.ts";
import { MeshConfigFile } from "../../src/api/mesh-config.ts";
import { findTool } from "../../src/runtime/tools.ts";
import { helm, type KubernetesObject, objectName, renderChart } from "../support/helm.ts";

const chart = "charts/weft";

/** What becomes of `weft.yaml` in the program. */
async function renderConfiguration(...flags: string[]): Promise<unknown> {
  const objects = await renderChart(chart, ...flags);
  const { data } = find(objects, "ConfigMap weft-config") as unknown as { data: Record<string, string> };
  return parse(data["weft.yaml"] ?? "");
}

function find(objects: readonly KubernetesObject[], name: string): KubernetesObject {
  const object = objects.find((candidate) => objectName(candidate) === name);
  if (object === undefined) throw new Error(`the chart renders no ${name}`);
  return object;
}

beforeAll(() => findTool("helm"), 300_000);

describe("the chart", () => {
  it("is clean for helm", async () => {
    expect(await helm("lint", "--strict", chart)).toContain("1 chart(s) linted, 0 chart(s) failed");
  });

  it("renders a mesh configuration that the program accepts, with its own addresses and image", async () => {
    const raw = await renderConfiguration("--namespace", "elsewhere", "--set", "image.tag=9.9.9,mesh.tls.mode=strict,image.pullSecrets={mine}");

    const result = parseMeshConfig(raw);

    expect(result).toMatchObject({
      config: {
        tls: { mode: "strict" },
        controlPlane: {
          namespace: "elsewhere",
          xds: "weft-controller.elsewhere.svc.cluster.local:15010",
          ca: "https://weft-controller.elsewhere.svc.cluster.local:15012",
          metrics: "https://weft-controller.elsewhere.svc.cluster.local:3000",
        },
        images: { weft: "weft/weft:9.9.9", pullPolicy: "IfNotPresent", pullSecrets: ["mine"] },
        injection: { excludedNamespaces: ["elsewhere", "kube-node-lease", "kube-public", "kube-system"] },
      },
    });
  });

  it("survives values taken away", async () => {
    expect(await renderConfiguration("--set", "mesh.injection=null")).toMatchObject({ injection: { excludedNamespaces: ["weft-system"] } });
  });

  it("knows the mesh configuration's schema, but for what it fills in itself", async () => {
    const schema = JSON.parse(await readFile(join(chart, "values.schema.json"), "utf8")) as { properties: { mesh: unknown } };
    const { controlPlane: _, images: __, ...properties } = MeshConfigFile.properties;

    expect(schema.properties.mesh).toEqual(JSON.parse(JSON.stringify({ ...MeshConfigFile, properties })));
  });

  it.each([
    ["webhook.failurePolicy=Maybe", "/webhook/failurePolicy"],
    ["webhook.timeoutSeconds=31", "/webhook/timeoutSeconds"],
    ["webhook.replicas=0", "/webhook/replicas"],
    ["webhook.replica=1", "additional properties 'replica' not allowed"],
    ["mesh.tls.mode=loose", "/mesh/tls/mode"],
    ["mesh.certificates.ttl=forever", "/mesh/certificates/ttl"],
    ["mesh.controlPlane.xds=example.test:1", "additional properties 'controlPlane' not allowed"],
    ["image.digest=latest", "/image/digest"],
    ["crds.install=maybe", "/crds/install"],
  ])("refuses the value %s", async (value, message) => {
    await expect(renderChart(chart, "--set", value)).rejects.toThrow(message);
  });

  it("takes an image by digest, and adds network policies when asked", async () => {
    const digest = `sha256:${"0".repeat(64)}`;

    const objects = await renderChart(chart, "--set", `image.digest=${digest},networkPolicy.enabled=true`);

    expect(JSON.stringify(find(objects, "Deployment weft-webhook"))).toContain(`"image":"weft/weft@${digest}"`);
    expect(objects.map(objectName).filter((name) => name.startsWith("NetworkPolicy"))).toEqual(["NetworkPolicy weft-controller", "NetworkPolicy weft-webhook"]);
  });
});

describe("the chart's custom resource definitions", () => {
  let copy = "";
  const definition = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: { name: "things.weft.test", annotations: { a: "b" } }, spec: { group: "weft.test" } };

  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), "weft-chart-"));
    await cp(chart, copy, { recursive: true, filter: (path) => !path.startsWith(join(chart, "files/crds/")) });
    await writeFile(join(copy, "files/crds/things.yaml"), `# generated\n---\n${JSON.stringify(definition)}\n`);
  });

  afterAll(() => rm(copy, { recursive: true }));

  it.each([
    ["are kept at uninstall by default", "crds.keep=true", { a: "b", "helm.sh/resource-policy": "keep" }],
    ["go at uninstall when told so", "crds.keep=false", { a: "b" }],
  ])("%s", async (_, value, annotations) => {
    const objects = await renderChart(copy, "--set", value);

    expect(find(objects, "CustomResourceDefinition things.weft.test")).toMatchObject({ metadata: { annotations: expect.toSatisfy((found) => JSON.stringify(found) === JSON.stringify(annotations)) }, spec: { group: "weft.test" } });
  });

  it("are left out when told so", async () => {
    const objects = await renderChart(copy, "--set", "crds.install=false");

    expect(objects.filter((object) => object.kind === "CustomResourceDefinition")).toEqual([]);
  });
});
