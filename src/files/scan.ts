import type { Dirent } from "node:fs";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";

/** A file as last read; `error` = it is there but cannot be read. */
export interface ScannedFile {
  readonly stamp: string;
  readonly text: string;
  readonly error: string | undefined;
}

/** Larger than any mesh; reading a megabyte of YAML takes seconds, in which nobody else is served. */
const maxFileSize = 8 * 1024 * 1024;
/** A directory of resources has some; one that leads to the whole machine has more. */
const maxDirectories = 1_000;

/**
 * Reads the *.yaml, *.yml and *.json files below a directory, hidden ones passed over (a mounted ConfigMap keeps its old
 * versions in `..data`). Files that did not change since `before` are not read again.
 * @throws when a directory cannot be listed, or there are too many.
 */
export async function scanDirectory(directory: string, before: ReadonlyMap<string, ScannedFile>): Promise<ReadonlyMap<string, ScannedFile>> {
  const files = new Map<string, ScannedFile>();
  for (const name of await listFiles(directory)) {
    const file = await scanFile(join(directory, name), before.get(name));
    if (file !== undefined) files.set(name, file);
  }
  return files;
}

/** Names relative to `root`. Links to directories are followed, but each directory is entered once: links may form a loop. */
async function listFiles(root: string): Promise<readonly string[]> {
  const names: string[] = [];
  const entered = new Set<string>();
  const waiting = [""];
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    const { real, entries } = await list(join(root, at), entered).catch((error: unknown) => {
      // One below may have gone since it was seen.
      if (at !== "" && isMissing(error)) return nothing;
      throw error;
    });
    names.push(...entries.filter((entry) => /\.(ya?ml|json)$/.test(entry.name) && !entry.isDirectory()).map(({ name }) => join(at, name)));
    waiting.push(...(await directoriesOf(real, entries)).map((name) => join(at, name)));
  }
  return names;
}

const nothing = { real: "", entries: [] };

/** Nothing for a directory that was entered before. */
async function list(directory: string, entered: Set<string>): Promise<{ readonly real: string; readonly entries: readonly Dirent[] }> {
  const real = await realpath(directory);
  if (entered.has(real)) return nothing;
  if (entered.add(real).size > maxDirectories) throw new Error(`it holds more than ${maxDirectories} directories`);
  const entries = await readdir(real, { withFileTypes: true });
  return { real, entries: entries.filter(({ name }) => !name.startsWith(".")) };
}

/** Real ones first, so that a link to one of them gives its files no second name. */
async function directoriesOf(directory: string, entries: readonly Dirent[]): Promise<readonly string[]> {
  const links = entries.filter((entry) => entry.isSymbolicLink());
  const led = await Promise.all(links.map(({ name }) => stat(join(directory, name)).then((to) => to.isDirectory(), () => false)));
  return [...entries.filter((entry) => entry.isDirectory()), ...links.filter((_, index) => led[index])].map(({ name }) => name);
}

/** undefined = there is no such file. */
export async function scanFile(path: string, before: ScannedFile | undefined): Promise<ScannedFile | undefined> {
  try {
    const found = await stat(path);
    const { mtimeMs, size, ino } = found;
    if (found.isDirectory()) return undefined;
    // A pipe would be waited for, and a device read, without an end.
    if (!found.isFile()) return unread(before, "it is no regular file");
    if (size > maxFileSize) return unread(before, `it is larger than ${maxFileSize} bytes; split it`);
    const stamp = `${ino}:${size}:${mtimeMs}`;
    // A second write within the clock's tick leaves the stamp as it was, so a young file is always read.
    const settled = Date.now() - mtimeMs > 2000;
    return settled && before?.stamp === stamp ? before : { stamp, text: await readFile(path, "utf8"), error: undefined };
  } catch (error) {
    return isMissing(error) ? undefined : unread(before, String(error));
  }
}

function unread(before: ScannedFile | undefined, error: string): ScannedFile {
  return { stamp: "", text: before?.text ?? "", error };
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
