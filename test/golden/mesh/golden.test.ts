/** What a directory of objects becomes, stage by stage: `make golden` writes the files anew; read the diff. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { meshConfigDefaults } from "../../../src/api/mesh-config-defaults.ts";
import { assemble, noObjects } from "../../../src/files/assemble.ts";
import { readContent } from "../../../src/files/file-content.ts";
import { formatDocuments } from "../../../src/files/yaml.ts";
import { createMembership } from "../../../src/cli/files-membership.ts";
import { showStage } from "../../../src/cli/commands/translate.ts";
import { brokenInvariants } from "../../support/ir-invariants.ts";
import { translate } from "../../../src/ir/translate.ts";
import { buildSnapshot } from "../../../src/mesh/build-snapshot.ts";

const folder = import.meta.dirname;
const scenarios = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);

function readScenario(name: string) {
  const content = readContent(readFileSync(join(folder, name, "objects.yaml"), "utf8"), "objects.yaml");
  if ("unreadable" in content) throw new Error(content.unreadable.sentence);
  const state = assemble({ files: new Map([["objects.yaml", content]]), derive: "all", previous: noObjects });
  const isMember = createMembership({ current: () => state }, () => meshConfigDefaults);
  const { snapshot, problems } = buildSnapshot(state.objects, { config: meshConfigDefaults, isInjected: (pod) => isMember(pod).inMesh });
  return { snapshot, problems: [...state.problems, ...problems] };
}

describe.each(scenarios)("golden %s", (name) => {
  const { snapshot, problems } = readScenario(name);
  const members = [...snapshot.workloads.values()].filter(({ inMesh }) => inMesh);

  it("is this snapshot, with these problems", async () => {
    const [member] = members;

    expect(formatDocuments([{ problems, ...(showStage(snapshot, member?.key ?? "", "snapshot") as object) }], "yaml")).not.toContain("undefined");
    await expect(formatDocuments([{ problems, ...(showStage(snapshot, member?.key ?? "", "snapshot") as object) }], "yaml")).toMatchFileSnapshot(join(folder, name, "snapshot.yaml"));
  });

  it.each(["ir", "envoy"] as const)("tells the proxies for which there is a file this (%s)", async (stage) => {
    for (const { key, name: pod } of members) {
      const file = join(folder, name, `${pod}.${stage}.yaml`);
      if (!existsSync(file)) continue;
      await expect(formatDocuments([showStage(snapshot, key, stage)], "yaml")).toMatchFileSnapshot(file);
    }
  });

  it("keeps the invariants for every proxy", () => {
    const irs = members.map(({ key }) => translate(snapshot, key)).filter((ir) => ir !== undefined);

    expect(irs.length).toBe(members.length);
    expect(irs.flatMap(brokenInvariants)).toEqual([]);
  });
});
