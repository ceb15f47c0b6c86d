import type { MeshConfig } from "../api/mesh-config.ts";
import { startFilesSource } from "../files/source.ts";
import { buildSnapshot } from "../mesh/build-snapshot.ts";
import type { MeshSnapshot } from "../mesh/snapshot.ts";
import { createLogger } from "../runtime/logger.ts";
import { compareProblems, type Problem } from "../std/problem.ts";
import { createMembership } from "./files-membership.ts";
import { Failure } from "./program.ts";

export interface MeshFlags {
  readonly resources: string;
  readonly config?: string;
}

export interface Mesh {
  readonly snapshot: MeshSnapshot;
  readonly config: MeshConfig;
  /** Of files, of objects and of the mesh configuration, sorted. */
  readonly problems: readonly Problem[];
}

/** The mesh that a directory describes, read once. A directory that cannot be read is a Failure. */
export async function readMesh(name: string, flags: MeshFlags): Promise<Mesh> {
  const config = flags.config === undefined ? {} : { config: flags.config };
  const source = await startFilesSource({ directory: flags.resources, logger: createLogger(`weft ${name}`), ...config }).catch((error: unknown) => {
    throw new Failure(error instanceof Error ? error.message : String(error));
  });
  try {
    const { objects, problems } = source.current();
    const isMember = createMembership(source, () => source.meshConfig());
    const result = buildSnapshot(objects, { config: source.meshConfig(), isInjected: (pod) => isMember(pod).inMesh });
    return { snapshot: result.snapshot, config: source.meshConfig(), problems: [...problems, ...result.problems].toSorted(compareProblems) };
  } finally {
    await source.stop();
  }
}
