import { describe, expect, it } from "vitest";
import { annotationTable, redirectionAnnotations } from "../../../../webhook/inject/annotation-table.ts";
import { createInjector } from "../../../../webhook/inject/injector.ts";
import { runWeft } from "../../cli/run-weft.ts";
import { config, facts } from "./mesh-fixture.ts";

interface Operation {
  readonly value?: { readonly name?: string; readonly args?: readonly string[] } | readonly { readonly name?: string; readonly args?: readonly string[] }[];
}

const injector = createInjector(config, "1.36");

/** The arguments that weft-init gets in a pod with these annotations. */
function initArguments(values: Readonly<Record<string, string>>): readonly string[] {
  const annotations = Object.fromEntries(Object.entries(values).map(([name, value]) => [`weft.mesh/${name}`, value]));
  const pod = { metadata: { annotations }, spec: { containers: [{ name: "app" }] } };
  const injection = injector.inject({ pod, namespace: "shop", facts: facts({}, { "weft.mesh/inject": "always" }) });
  const operations = JSON.parse(injection?.patch ?? "[]") as readonly Operation[];
  const init = operations.flatMap(({ value }) => value ?? []).find(({ name }) => name === "weft-init");
  return init?.args ?? [];
}

describe("weft init takes what annotations ask for", () => {
  it("all of the examples together", async () => {
    const examples = Object.fromEntries(redirectionAnnotations.map((name) => [name, annotationTable[name].example]));

    const { code, stdout, stderr } = await runWeft(["init", "--dry-run", ...initArguments(examples)]);

    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("--dport 9100 -j RETURN");
    expect(stdout).toContain("--uid-owner 1001 -j RETURN");
  });

  it("ranges, wildcards and the longest lists that an annotation may have", async () => {
    const ports = Array.from({ length: 32 }, (_, index) => `${1000 + index * 10}-${1005 + index * 10}`).join(",");
    const values = { "exclude-inbound-ports": ports, "include-outbound-ports": ports, "exclude-uids": "100-200", "exclude-interfaces": "tun+", "include-outbound-cidrs": "*" };

    const { code, stderr } = await runWeft(["init", "--dry-run", ...initArguments(values)]);

    expect([code, stderr]).toEqual([0, ""]);
  });
});
