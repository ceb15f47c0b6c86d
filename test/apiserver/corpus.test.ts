import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { corpus, injectManifest, injectPod, largePods, readManifest } from "../golden/inject/corpus-cases.ts";
import { startApiServer, type TestApiServer } from "../support/apiserver.ts";

type Json = Readonly<Record<string, unknown>>;

let server: TestApiServer;

beforeAll(async () => {
  server = await startApiServer({ flags: ["--allow-privileged=true"] });
  await server.call("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
  // There is no controller that would make it.
  await server.call("POST", "/api/v1/namespaces/shop/serviceaccounts", { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } });
});

afterAll(() => server?.stop());

/** Empty, or why the pod is refused. A dry run: every admission and validation of a creation, nothing stored. A template is given what a controller would. */
async function create(pod: Json): Promise<string> {
  const metadata = { ...(pod["metadata"] as Json | undefined) };
  const name = metadata["name"] ?? metadata["generateName"];
  const whole = { apiVersion: "v1", kind: "Pod", ...pod, metadata: { ...metadata, ...(name === undefined ? { generateName: "template-" } : {}), namespace: "shop" } };
  const { status, body } = await server.call("POST", "/api/v1/namespaces/shop/pods?dryRun=All&fieldValidation=Ignore", plain(whole));
  return status === 201 ? "" : `${status} ${(body as { readonly message?: string }).message}`;
}

/** JSON.stringify does not know integers beyond a double; the API server's answer to the nearest one is the same. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? Number(item) : item)));
}

/** What the API server refuses by itself, and the word in its message that tells why. */
const refused: Readonly<Record<string, string>> = {
  "ephemeral-containers": "ephemeralContainers",
  // Its controller would add the volume of the claim.
  "statefulset-with-claims": 'Not found: "data"',
};

describe("a real API server", () => {
  it.each(corpus)("takes the pods of $name after injection as it does before", async ({ name }) => {
    const pods = injectManifest(await readManifest(name));

    const answers = await Promise.all(pods.map(async ({ pod, injected }) => [await create(pod), await create(injected)] as const));

    const why = refused[name] ?? "";
    expect(answers.flat().map((message) => (why !== "" && message.includes(why) ? why : message))).toEqual(answers.flat().map(() => why));
  });

  it.each(largePods)("takes a pod with %s after injection", async (_title, pod) => {
    expect(await create(injectPod(pod).injected)).toBe("");
  });
});
