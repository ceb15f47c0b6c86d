import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readDocuments } from "../../../src/files/yaml.ts";
import { uninject } from "../../../webhook/inject/uninject.ts";
import { runWeft } from "../../unit/cli/run-weft.ts";
import { corpus, injectManifest, injectPod, largePods, readManifest, type CorpusPod } from "./corpus-cases.ts";

type Json = Readonly<Record<string, unknown>>;
type Item = Readonly<Record<string, unknown>> & { readonly name: string };

function items(pod: Json, list: string): readonly Item[] {
  return ((pod["spec"] as Json)[list] ?? []) as readonly Item[];
}

function isOurs({ name }: Item): boolean {
  return /^weft-(init|agent|adapter|proxy|run|token|trust-bundle)$/.test(name);
}

/** All that may be rewritten: `containers/NAME/livenessProbe`, `containers/NAME/lifecycle/preStop`, `annotations/KEY`. */
const rewritable = /^(?:(?:initContainers|containers)\/[^/]+\/(?:(?:startup|liveness|readiness)Probe|lifecycle\/(?:postStart|preStop))|annotations\/.+)$/;

/** A container without the probes and hooks that the decision says are rewritten. */
function withoutRewritten(list: string, container: Item, rewrites: readonly string[]): Json {
  function keep(at: string, object: object): Json {
    return Object.fromEntries(Object.entries(object).filter(([key]) => !rewrites.includes(`${at}/${key}`)));
  }
  const path = `${list}/${container.name}`;
  const { lifecycle } = container;
  const kept = keep(path, container);
  return typeof lifecycle === "object" && lifecycle !== null ? { ...kept, lifecycle: keep(`${path}/lifecycle`, lifecycle) } : kept;
}

/** What is the user's, but for what the decision names as rewritten. */
function usersPart(pod: Json, rewrites: readonly string[]): Json {
  const metadata = { ...(pod["metadata"] as Json | undefined), annotations: undefined };
  function kept(list: string): readonly Json[] {
    return items(pod, list).filter((item) => !isOurs(item)).map((item) => withoutRewritten(list, item, rewrites));
  }
  return { ...pod, metadata, spec: { ...(pod["spec"] as Json), initContainers: kept("initContainers"), containers: kept("containers"), volumes: kept("volumes") } };
}

function expectInvariants({ pod, rewrites, injected, patch }: CorpusPod): void {
  expect(usersPart(injected, rewrites)).toStrictEqual(usersPart(pod, rewrites));
  expect(uninject(injected)).toStrictEqual(pod);
  const again = injectPod(injected);
  expect([again.code, again.patch]).toEqual(["already-injected", "[]"]);
  expect(injectPod(structuredClone(pod)).patch).toBe(patch);
  expectUnique([...items(injected, "initContainers"), ...items(injected, "containers")].map(({ name }) => name));
  expectUnique(items(injected, "volumes").map(({ name }) => name));
  expectAnnotationsKept(pod, injected, rewrites);
}

function expectUnique(names: readonly string[]): void {
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
}

function expectAnnotationsKept(pod: Json, injected: Json, rewrites: readonly string[]): void {
  const before = ((pod["metadata"] as Json | undefined)?.["annotations"] ?? {}) as Readonly<Record<string, string>>;
  const after = (injected["metadata"] as Json)["annotations"] as Readonly<Record<string, string>>;
  const kept = Object.entries(before).filter(([key]) => !rewrites.includes(`annotations/${key}`));
  expect(Object.fromEntries(kept.map(([key]) => [key, after[key]]))).toEqual(Object.fromEntries(kept));
  const added = Object.entries(after).filter(([key, value]) => before[key] !== value);
  expect(JSON.stringify(added).length).toBeLessThan(4096);
}

describe("a manifest as people have them", () => {
  it("is one of the table", async () => {
    const files = await readdir(join(import.meta.dirname, "corpus"));

    expect(files.toSorted()).toEqual(corpus.map(({ name }) => `${name}.yaml`));
  });

  it.each(corpus)("$name is $codes, and what is the user's stays", async ({ name, codes }) => {
    const pods = injectManifest(await readManifest(name));

    expect(pods.map(({ code }) => code)).toEqual(codes);
    expect(pods.flatMap((pod) => pod.rewrites).filter((rewrite) => !rewritable.test(rewrite))).toEqual([]);
    for (const pod of pods.filter(({ code }) => code === "injected")) expectInvariants(pod);
    const others = pods.filter(({ code }) => code !== "injected");
    expect(others.map(({ injected }) => injected)).toStrictEqual(others.map(({ pod }) => pod));
  });

  it.each(largePods)("with %s is injected, and what is the user's stays", (_title, pod) => {
    const result = injectPod(pod);

    expect(result.code).toBe("injected");
    expectInvariants(result);
  });

  it("comes back from weft inject and weft uninject with the same values", async () => {
    const directory = join(import.meta.dirname, "corpus");
    const originals = (await Promise.all(corpus.map(({ name }) => readManifest(name)))).flat();

    const injected = await runWeft(["inject", "-f", directory, "--inject", "always"]);
    const back = await runWeft(["uninject", "-f", "-"], injected.stdout);

    // 1: some of the corpus is rejected.
    expect([injected.code, back.code]).toEqual([1, 0]);
    expect(injected.stdout.split("name: weft-proxy\n").length).toBeGreaterThan(30);
    expect(readDocuments(back.stdout, "").documents).toStrictEqual(originals);
  });
});
