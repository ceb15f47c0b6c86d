import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readInput } from "../../../src/cli/read-input.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "weft-input-"));
});
afterEach(() => rm(directory, { recursive: true }));

describe("readInput", () => {
  it("reads files and directories in order, without hidden files", async () => {
    await mkdir(join(directory, "sub"));
    await mkdir(join(directory, "..data"));
    await writeFile(join(directory, "b.yaml"), "b: 1\n---\nb: 2\n");
    await writeFile(join(directory, "sub", "a.json"), '{"a": 1}');
    await writeFile(join(directory, "..data", "b.yaml"), "b: 3");
    await writeFile(join(directory, "note.txt"), "x: 1");

    const { documents, problems } = await readInput([directory, join(directory, "note.txt")]);

    expect(documents).toEqual([
      { file: join(directory, "b.yaml"), value: { b: 1 } },
      { file: join(directory, "b.yaml"), value: { b: 2 } },
      { file: join(directory, "sub", "a.json"), value: { a: 1 } },
      { file: join(directory, "note.txt"), value: { x: 1 } },
    ]);
    expect(problems).toEqual([]);
  });

  it("tells what cannot be read and returns the rest", async () => {
    await writeFile(join(directory, "a.yaml"), "a: 1");

    const { documents, problems } = await readInput(["/nowhere.yaml", join(directory, "a.yaml")]);

    expect(documents).toHaveLength(1);
    expect(problems).toEqual(["/nowhere.yaml: there is no such file or directory"]);
  });
});
