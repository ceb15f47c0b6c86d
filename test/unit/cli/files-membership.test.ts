import { expect, it } from "vitest";
import type { Pod } from "../../../src/api/kubernetes.ts";
import { createMembership } from "../../../src/cli/files-membership.ts";
import { config, meta, tlsConfig } from "../webhook/inject/mesh-fixture.ts";
import { stillSource } from "../webhook/still-source.ts";

function pod(labels: Record<string, string>, containers: readonly string[] = ["app"]): Pod {
  const raw = { metadata: { name: "p", labels }, spec: { containers: containers.map((name) => ({ name })) } };
  return { kind: "Pod", metadata: { ...meta("p"), labels }, serviceAccount: "default", hostNetwork: false, containers, ports: [], ips: [], ready: true, ended: false, terminating: false, raw };
}

it("takes a pod of files as the webhook would leave it, by the objects of the moment", () => {
  const namespace = { kind: "Namespace" as const, metadata: { ...meta("shop"), namespace: "", labels: { "weft.mesh/inject": "enabled" } } };
  const source = stillSource([namespace, tlsConfig("tls", { app: "books" })]);
  const membership = createMembership(source, () => config);

  const before = [membership(pod({ app: "books" })), membership(pod({ app: "other" })), membership(pod({}, ["app", "weft-proxy"]))];
  source.change([namespace]);

  expect(before).toEqual([{ inMesh: true }, { inMesh: false }, { inMesh: true }]);
  expect(membership(pod({ app: "books" }))).toEqual({ inMesh: false });
});
