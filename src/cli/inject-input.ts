import { meshConfigDefaults, parseMeshConfig } from "../api/mesh-config-defaults.ts";
import type { MeshConfig } from "../api/mesh-config.ts";
import type { MeshObject, MeshObjects } from "../api/objects.ts";
import { parseObject } from "../api/parse.ts";
import { assemble, noObjects } from "../files/assemble.ts";
import { startFilesSource } from "../files/source.ts";
import { unrollList } from "../files/yaml.ts";
import { createLogger } from "../runtime/logger.ts";
import { formatProblem, type Problem } from "../std/problem.ts";
import type { InjectFlags } from "./inject-flags.ts";
import { Failure } from "./program.ts";
import { readInput, type InputDocument } from "./read-input.ts";

/** All that an injection on files needs, read once. */
export interface InjectInput {
  readonly documents: readonly InputDocument[];
  readonly objects: MeshObjects;
  readonly config: MeshConfig;
  /** One sentence each, for stderr; with one among them the command ends with exit code 1. */
  readonly problems: readonly string[];
}

/**
 * Reads documents, resources and mesh configuration. Resources among the documents count too, as they would once both are
 * applied; those of `--resources` win. Throws a Failure for a directory or configuration that cannot be used.
 */
export async function readInjectInput(flags: InjectFlags): Promise<InjectInput> {
  const [input, resources] = [await readInput(flags.filename), await readResources(flags)];
  const parsed = input.documents.flatMap(({ value }) => unrollList(value)).map(parseObject);
  const own = parsed.flatMap((result) => (result.kind === "object" && result.object.kind !== "Pod" ? [result.object] : []));
  const wrong = parsed.flatMap((result) => (result.kind === "problem" && result.problem.object.kind !== "Pod" ? [result.problem] : []));
  const problems = [...resources.problems, ...wrong].filter(({ severity }) => severity === "error").map(formatProblem);
  return { documents: input.documents, objects: merge(resources.objects, own), config: resources.config, problems: [...input.problems, ...problems] };
}

interface Resources {
  readonly objects: MeshObjects;
  readonly config: MeshConfig;
  readonly problems: readonly Problem[];
}

async function readResources({ resources, config }: InjectFlags): Promise<Resources> {
  if (resources === undefined) return { objects: noObjects, config: config === undefined ? meshConfigDefaults : await readConfig(config), problems: [] };
  const options = { directory: resources, derive: "nothing", logger: createLogger("weft", "silent"), ...(config === undefined ? {} : { config }) } as const;
  const source = await startFilesSource(options).catch((error: unknown) => {
    throw new Failure(error instanceof Error ? error.message : String(error));
  });
  await source.stop();
  const { objects, problems } = source.current();
  return { objects, config: source.meshConfig(), problems };
}

/** The mesh configuration of a file. Throws a Failure that names the file and what is wrong. */
export async function readConfig(file: string): Promise<MeshConfig> {
  const { documents, problems } = await readInput([file]);
  const [first, second] = documents;
  if (problems.length > 0) throw new Failure(problems.join("; "));
  if (second !== undefined) throw new Failure(`${file}: holds several documents; a mesh configuration is one`);
  const result = parseMeshConfig(first?.value);
  if ("errors" in result) throw new Failure(`${file}: ${result.errors.join("; ")}`);
  return result.config;
}

/** The first of two equal names counts, and resources come first. */
function merge(objects: MeshObjects, documents: readonly MeshObject[]): MeshObjects {
  if (documents.length === 0) return objects;
  const resources = Object.values<ReadonlyMap<string, MeshObject>>(objects).flatMap((map) => [...map.values()]);
  const files = new Map([
    ["1", { objects: resources, problems: [] }],
    ["2", { objects: documents, problems: [] }],
  ]);
  return assemble({ files, derive: "nothing", previous: noObjects }).objects;
}
