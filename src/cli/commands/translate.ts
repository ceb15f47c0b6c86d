import { Option } from "commander";
import { buildResources } from "../../envoy/resources.ts";
import { formatDocuments, type DocumentFormat } from "../../files/yaml.ts";
import { translate } from "../../ir/translate.ts";
import type { MeshSnapshot } from "../../mesh/snapshot.ts";
import { formatProblem } from "../../std/problem.ts";
import { resourceTypes } from "../../std/resource-set.ts";
import { unreachable } from "../../std/unreachable.ts";
import { formatResource } from "../../xds/encode.ts";
import { configFlag, readPodName } from "../flags.ts";
import { createProgram, exitCodes, Failure, parseArguments } from "../program.ts";
import { readMesh, type MeshFlags } from "../read-mesh.ts";

type Stage = "snapshot" | "ir" | "envoy";

interface Flags extends MeshFlags {
  readonly proxy: string;
  readonly stage: Stage;
  readonly output: DocumentFormat;
}

/** `weft translate`: what one pod's proxy is told, or a stage on the way there. What is wrong with the resources goes to stderr. */
export async function run(args: readonly string[]): Promise<number> {
  const program = createProgram("translate", "Show what one pod's proxy is told.", "weft translate --resources mesh --proxy bookstore/web --stage ir")
    .requiredOption("--resources <dir>", "directory of YAML and JSON")
    .requiredOption("--proxy <namespace/pod>", "the pod", readPodName)
    .addOption(configFlag())
    .addOption(new Option("--stage <stage>", "the whole mesh, what the proxy must do, or Envoy's resources").choices(["snapshot", "ir", "envoy"]).default("envoy"))
    .addOption(new Option("-o, --output <format>", "format of the document").choices(["yaml", "json"]).default("yaml"));
  const ended = parseArguments(program, args);
  if (ended !== undefined) return ended;
  const flags = program.opts<Flags>();
  const { snapshot, problems } = await readMesh("translate", flags);
  for (const problem of problems) process.stderr.write(`weft translate: ${formatProblem(problem)}\n`);
  process.stdout.write(formatDocuments([showStage(snapshot, flags.proxy, flags.stage)], flags.output));
  return problems.some(({ severity }) => severity === "error") ? exitCodes.rejected : exitCodes.done;
}

/** One stage as a plain document: maps become objects; Envoy's resources are spelled as in its documentation, by type. */
export function showStage(snapshot: MeshSnapshot, proxy: string, stage: Stage): unknown {
  const ir = translate(snapshot, proxy);
  if (ir === undefined) throw new Failure(whyNoProxy(snapshot, proxy));
  switch (stage) {
    case "snapshot":
      return toPlain(snapshot);
    case "ir":
      return toPlain(ir);
    case "envoy": {
      const resources = buildResources(ir);
      return Object.fromEntries(resourceTypes.map((type) => [type, [...resources[type].values()].map((resource) => formatResource(type, resource))]));
    }
    default:
      return unreachable(stage);
  }
}

function whyNoProxy(snapshot: MeshSnapshot, proxy: string): string {
  if (snapshot.workloads.has(proxy)) return `Pod ${proxy} is not in the mesh: it has no proxy, and would be given none ('weft explain' says why).`;
  const known = [...snapshot.workloads.values()].filter(({ inMesh }) => inMesh).map(({ key }) => key);
  return `There is no Pod ${proxy} in the resources. Pods in the mesh: ${known.length === 0 ? "none" : known.join(", ")}.`;
}

/** By JSON: what is undefined is left out. */
function toPlain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_key, child: unknown) => (child instanceof Map ? Object.fromEntries(child) : child)));
}
