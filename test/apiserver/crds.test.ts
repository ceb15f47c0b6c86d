import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { buildCrds } from "../../src/api/crds.ts";
import { meshConfigDefaults } from "../../src/api/mesh-config-defaults.ts";
import { parseObject } from "../../src/api/parse.ts";
import { noObjects } from "../../src/files/assemble.ts";
import { applyObject } from "../../src/k8s/apply.ts";
import { createKubeClient, type KubeClient } from "../../src/k8s/client.ts";
import { startK8sSource } from "../../src/k8s/source.ts";
import { writeStatus } from "../../src/k8s/status.ts";
import { buildSnapshot } from "../../src/mesh/build-snapshot.ts";
import type { Problem } from "../../src/std/problem.ts";
import { pino } from "pino";
import { startApiServer, type TestApiServer } from "../support/apiserver.ts";

const waiting = { timeout: 30_000, interval: 50 };

let server: TestApiServer;
let client: KubeClient;
beforeAll(async () => {
  server = await startApiServer();
  client = createKubeClient(server.kubeconfig);
  for (const crd of buildCrds().values()) {
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${(crd as { metadata: { name: string } }).metadata.name}`;
    await applyObject({ client, path, object: crd });
    await vi.waitFor(async () => {
      const { status } = (await client.request({ method: "GET", path })) as { status: { conditions: { type: string; status: string; message: string }[] } };
      const bad = status.conditions.find(({ type }) => type === "NonStructuralSchema");
      const established = status.conditions.some(({ type, status }) => type === "Established" && status === "True");
      if (bad !== undefined || !established) throw new Error(`${path}: ${JSON.stringify(status.conditions)}`);
    }, waiting);
  }
});
afterAll(() => server?.stop());

const collections = {
  TLSConfig: ["smi-spec.io/v1beta1", "tlsconfigs"],
  Canary: ["smi-spec.io/v1beta1", "canaries"],
  Monitor: ["smi-spec.io/v1beta1", "monitors"],
  TrafficSplit: ["split.smi-spec.io/v1alpha4", "trafficsplits"],
} as const;

let count = 0;
async function create(kind: keyof typeof collections, spec: unknown) {
  const [apiVersion, plural] = collections[kind];
  count += 1;
  const object = { apiVersion, kind, metadata: { name: `object-${count}`, namespace: "default" }, ...(spec === undefined ? {} : { spec }) };
  const path = `/apis/${apiVersion}/namespaces/default/${plural}`;
  const { status, body } = await server.call("POST", path, object);
  return { object, status, path: `${path}/object-${count}`, message: (body as { message?: string }).message ?? "", body };
}

const backend = { service: "two", weight: 1 };

/** What weft itself says is wrong with it: the parser, or, of a split that is well-formed, the mesh. */
function errorsOf(kind: keyof typeof collections, raw: object): readonly Problem[] {
  const parsed = parseObject(raw);
  if (parsed.kind !== "object") return parsed.kind === "problem" ? [parsed.problem] : [];
  const objects = { ...noObjects, [kind]: new Map([["default/object", parsed.object]]) };
  return buildSnapshot(objects, { config: meshConfigDefaults }).problems.filter(({ severity }) => severity === "error");
}

describe("the CRDs", () => {
  it.each([
    ["TLSConfig", { subjectNames: ["foo"], selector: { matchLabels: { role: "frontend" } }, mode: "strict" }],
    ["TLSConfig", { selector: {} }],
    ["Canary", { service: "one", backends: [{ service: "two", weight: "10m" }, { service: "three", weight: 0 }, { service: "four", weight: "0.5" }] }],
    ["Monitor", { selector: { matchLabels: { a: "b" } }, metricLabels: { team: "x" }, metricsLabels: { team: "x" } }],
    ["Monitor", { selector: {}, metricLabels: {} }],
    ["TrafficSplit", { service: "one", backends: [backend], matches: [{ kind: "HTTPRouteGroup", name: "g", apiGroup: "specs.smi-spec.io" }] }],
  ] as const)("take %s %j, as our parser does", async (kind, spec) => {
    const { object, status, body } = await create(kind, spec);

    expect(status).toBe(201);
    expect((body as { spec: unknown }).spec).toEqual(spec);
    expect(parseObject(object)).toMatchObject({ kind: "object", problems: [] });
  });

  it.each([
    ["TLSConfig", undefined, /spec: Required/],
    ["TLSConfig", { selector: {}, mode: "off" }, /spec\.mode: Unsupported value/],
    ["TLSConfig", { selector: { matchLabels: { a: 1 } } }, /matchLabels\.a/],
    ["Canary", { service: "one", backends: [] }, /should have at least 1 items/],
    ["Canary", { service: "one", backends: [{ service: "two", weight: -1 }] }, /greater than or equal to 0/],
    ["Canary", { service: "one", backends: [{ service: "two", weight: "some" }] }, /should match/],
    ["Canary", { service: "one", backends: [{ service: "two", weight: "1.2.3" }] }, /should match/],
    ["Canary", { service: "one", backends: [{ service: "one", weight: 1 }] }, /must not be the root service itself/],
    ["Canary", { service: "one", backends: [backend, { service: "two", weight: 2 }] }, /must not stand twice/],
    ["TrafficSplit", { service: "one", backends: [{ service: "two", weight: "1" }] }, /must be of type integer/],
    ["TrafficSplit", { service: "two", backends: [backend] }, /must not be the root service itself/],
  ] as const)("refuse %s %j, as weft itself does", async (kind, spec, message) => {
    const answer = await create(kind, spec);

    expect(answer.status).toBe(422);
    expect(answer.message).toMatch(message);
    expect(errorsOf(kind, answer.object)).not.toEqual([]);
  });

  it.each([
    ["Canary", { service: "one", backends: [{ service: "two", weight: 0 }, { service: "three", weight: "0.0m" }] }, /must be more than zero/],
    ["Canary", { service: "one", backends: [{ service: "two", weight: "0m" }] }, /must be more than zero/],
    ["TrafficSplit", { service: "one", backends: [{ service: "two", weight: 0 }] }, /must be more than zero/],
    ["Monitor", { selector: {}, metricLabels: { a: "b" }, metricsLabels: { a: "c" } }, /must not differ/],
  ] as const)("refuse %s %j, which our parser lets through when it is stored", async (kind, spec, message) => {
    const answer = await create(kind, spec);

    expect(answer.status).toBe(422);
    expect(answer.message).toMatch(message);
    expect(parseObject(answer.object)).toMatchObject({ kind: "object" });
  });

  it("keep the status of a Monitor apart from its spec", async () => {
    const { path } = await create("Monitor", { selector: {} });

    expect(await writeStatus({ client, path, status: { metricsServer: "https://metrics:3000/metrics" } })).toBe("written");

    expect(await client.request({ method: "GET", path })).toMatchObject({ spec: { selector: {} }, status: { metricsServer: "https://metrics:3000/metrics" } });
    expect(await writeStatus({ client, path: `${path}-gone`, status: {} })).toBe("gone");
  });

  it("are what the source lists", async () => {
    const source = startK8sSource({ client, kinds: ["Canary", "TLSConfig", "Monitor", "TrafficSplit"], logger: pino({ level: "silent" }) });
    await source.synced;

    const { objects, problems } = source.current();
    await source.stop();

    expect([objects.TLSConfig.size, objects.Canary.size, objects.Monitor.size, objects.TrafficSplit.size]).toEqual([2, 1, 3, 1]);
    expect(problems).toEqual([]);
  });
});
