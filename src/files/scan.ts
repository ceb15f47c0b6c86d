import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** A file as last read; `error` = it is there but cannot be read. */
export interface ScannedFile {
  readonly stamp: string;
  readonly text: string;
  readonly error: string | undefined;
}

/**
 * Reads the *.yaml, *.yml and *.json files below a directory, hidden ones passed over (a mounted ConfigMap keeps its old
 * versions in `..data`). Files that did not change since `before` are not read again.
 * @throws when the directory itself cannot be listed.
 */
export async function scanDirectory(directory: string, before: ReadonlyMap<string, ScannedFile>): Promise<ReadonlyMap<string, ScannedFile>> {
  const names = await readdir(directory, { recursive: true });
  const files = new Map<string, ScannedFile>();
  for (const name of names.filter((name) => /\.(ya?ml|json)$/.test(name) && !/(^|\/)\./.test(name))) {
    const file = await scanFile(join(directory, name), before.get(name));
    if (file !== undefined) files.set(name, file);
  }
  return files;
}

/** undefined = there is no such file. */
export async function scanFile(path: string, before: ScannedFile | undefined): Promise<ScannedFile | undefined> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    const stamp = `${ino}:${size}:${mtimeMs}`;
    // A second write within the clock's tick leaves the stamp as it was, so a young file is always read.
    const settled = Date.now() - mtimeMs > 2000;
    return settled && before?.stamp === stamp ? before : { stamp, text: await readFile(path, "utf8"), error: undefined };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? undefined : { stamp: "", text: before?.text ?? "", error: String(error) };
  }
}
