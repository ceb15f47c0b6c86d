import type { Metafile } from "esbuild";

/** What one command loads. */
export interface Reach {
  /** Output files, sorted. */
  readonly chunks: readonly string[];
  /** Source files that left bytes in them, sorted. */
  readonly sources: readonly string[];
  readonly bytes: number;
}

/**
 * What a process loads for the command whose module is `source`: its chunk, and all that this imports statically.
 * @throws when the bundle has no chunk for it.
 */
export function reachOf(metafile: Metafile, source: string): Reach {
  const start = Object.entries(metafile.outputs).find(([, output]) => output.entryPoint === source)?.[0];
  if (start === undefined) throw new Error(`${source} has no chunk of its own in the bundle: is it a dynamic import of the command line?`);
  const chunks = [...closure(metafile, start)].sort();
  const outputs = chunks.flatMap((chunk) => metafile.outputs[chunk] ?? []);
  const sources = outputs.flatMap((output) => Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0));
  return { chunks, sources: [...new Set(sources.map(([path]) => path))].sort(), bytes: outputs.reduce((sum, output) => sum + output.bytes, 0) };
}

function closure(metafile: Metafile, start: string): Set<string> {
  const seen = new Set<string>();
  const waiting = [start];
  for (let chunk = waiting.pop(); chunk !== undefined; chunk = waiting.pop()) {
    if (seen.has(chunk)) continue;
    seen.add(chunk);
    const imports = metafile.outputs[chunk]?.imports ?? [];
    waiting.push(...imports.filter((found) => found.kind === "import-statement" && found.external !== true).map((found) => found.path));
  }
  return seen;
}

/** The npm packages among the sources of a reach, sorted. */
export function packagesOf(reach: Reach): string[] {
  const names = reach.sources.flatMap((path) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  return [...new Set(names)].sort();
}
