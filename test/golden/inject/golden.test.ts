import { readFile } from "node:fs/promises";
import { join } from "node:path";
import jsonPatch, { type Operation } from "fast-json-patch";
import { describe, expect, it } from "vitest";
import type { MeshConfig } from "../../../src/api/mesh-config.ts";
import { formatDocuments, readDocuments } from "../../../src/files/yaml.ts";
import { createInjector } from "../../../webhook/inject/injector.ts";
import { uninject } from "../../../webhook/inject/uninject.ts";
import { config, facts, monitor, tlsConfig } from "../../unit/webhook/inject/mesh-fixture.ts";

/** The mesh of the goldens: a TLSConfig for `app: books`, a Monitor for `metrics: on`. */
const around = facts({ tlsConfigs: [tlsConfig("tls", { app: "books" })], monitors: [monitor("metrics", { metrics: "on" })] });
const ordinary: MeshConfig = { ...config, injection: { ...config.injection, nativeSidecars: "off" } };
const cases: readonly (readonly [string, MeshConfig])[] = [
  ["minimal", config],
  ["probes-and-metrics", config],
  ["job-ordinary-containers", ordinary],
];

describe("a realistic pod", () => {
  it.each(cases)("%s is injected as its golden says, and back", async (name, mesh) => {
    const directory = join(import.meta.dirname, name);
    const [pod] = readDocuments(await readFile(join(directory, "pod.yaml"), "utf8"), "pod.yaml").documents as [Record<string, unknown>];

    const injection = createInjector(mesh, "1.36").inject({ pod, namespace: "shop", facts: around });

    const patch = JSON.parse(injection?.patch ?? "") as Operation[];
    const injected = jsonPatch.applyPatch(structuredClone(pod), patch, true).newDocument;
    await expect(formatDocuments([injected], "yaml")).toMatchFileSnapshot(join(directory, "injected.yaml"));
    expect(uninject(injected)).toStrictEqual(pod);
  });
});
