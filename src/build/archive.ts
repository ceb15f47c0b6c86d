import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { compareText } from "../std/sort.ts";
import { formatEnd, formatHeader, formatPadding } from "./tar.ts";

/** What stands in an archive, by path without a leading slash. A `source` is a file of this machine. */
export type Item = { readonly path: string } & (
  | { readonly kind: "directory"; readonly mode?: number }
  | { readonly kind: "symlink"; readonly target: string }
  | { readonly kind: "text"; readonly text: string; readonly mode?: number }
  | { readonly kind: "copy"; readonly source: string; readonly mode?: number }
);

export interface WrittenArchive {
  /** SHA-256, hex. */
  readonly digest: string;
  readonly bytes: number;
}

/** Writes a tar archive, sorted by path, and hashes it on the way. @throws when a source cannot be read. */
export async function writeArchive(file: string, items: readonly Item[]): Promise<WrittenArchive> {
  const hash = createHash("sha256");
  const output = await open(file, "w");
  let bytes = 0;
  try {
    for await (const chunk of chunksOf(items)) {
      hash.update(chunk);
      await output.writeFile(chunk);
      bytes += chunk.length;
    }
  } finally {
    await output.close();
  }
  return { digest: hash.digest("hex"), bytes };
}

async function* chunksOf(items: readonly Item[]): AsyncGenerator<Buffer> {
  for (const item of [...items].sort((a, b) => compareText(a.path, b.path))) yield* entryOf(item);
  yield formatEnd();
}

async function* entryOf(item: Item): AsyncGenerator<Buffer> {
  switch (item.kind) {
    case "directory":
      yield formatHeader({ path: item.path, kind: "directory", mode: item.mode ?? 0o755 });
      return;
    case "symlink":
      yield formatHeader({ path: item.path, kind: "symlink", mode: 0o777, target: item.target });
      return;
    case "text": {
      const content = Buffer.from(item.text);
      yield formatHeader({ path: item.path, kind: "file", mode: item.mode ?? 0o644, size: content.length });
      yield Buffer.concat([content, formatPadding(content.length)]);
      return;
    }
    case "copy": {
      const { size } = await stat(item.source);
      yield formatHeader({ path: item.path, kind: "file", mode: item.mode ?? 0o644, size });
      for await (const chunk of createReadStream(item.source, { highWaterMark: 1 << 20 })) yield chunk as Buffer;
      yield formatPadding(size);
    }
  }
}
