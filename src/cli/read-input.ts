import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { compareText } from "../std/sort.ts";
import { readDocuments } from "../files/yaml.ts";

export interface InputDocument {
  /** As the user named it; `-` is standard input. */
  readonly file: string;
  readonly value: unknown;
}

export interface Input {
  readonly documents: readonly InputDocument[];
  /** One sentence each, with the file in front; the command ends with exit code 1 when there is one. */
  readonly problems: readonly string[];
}

/**
 * Reads what `-f` names: files, directories (*.yaml, *.yml and *.json below them, sorted; hidden ones are passed over) and
 * `-`. Never throws for bad input: what cannot be read is a problem, the rest is returned.
 */
export async function readInput(paths: readonly string[]): Promise<Input> {
  const documents: InputDocument[] = [];
  const problems: string[] = [];
  for (const path of paths) {
    for (const { file, read } of await listSources(path, problems)) {
      const content = await attempt(file, read, problems);
      if (content === undefined) continue;
      const found = readDocuments(content, file);
      documents.push(...found.documents.map((value) => ({ file, value })));
      problems.push(...found.problems);
    }
  }
  return { documents, problems };
}

interface Source {
  readonly file: string;
  readonly read: () => Promise<string>;
}

async function listSources(path: string, problems: string[]): Promise<readonly Source[]> {
  if (path === "-") return [{ file: "-", read: () => text(process.stdin) }];
  const files = await attempt(path, async () => ((await stat(path)).isDirectory() ? await listDirectory(path) : [path]), problems);
  return (files ?? []).map((file) => ({ file, read: () => readFile(file, "utf8") }));
}

async function listDirectory(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory, { recursive: true });
  const wanted = names.filter((name) => /\.(ya?ml|json)$/.test(name) && !/(^|\/)\./.test(name));
  return wanted.toSorted(compareText).map((name) => join(directory, name));
}

async function attempt<T>(file: string, action: () => Promise<T>, problems: string[]): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const reason = code === "ENOENT" ? "there is no such file or directory" : error instanceof Error ? error.message : String(error);
    problems.push(`${file}: ${reason}`);
    return undefined;
  }
}
