import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDirectoryStore } from "../../../../certs/ca/directory-store.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "weft-store-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe("directory store", () => {
  it("has nothing before the first write, and needs no directory", async () => {
    expect(await createDirectoryStore(join(directory, "new")).read()).toBeUndefined();
  });

  it("is created once, however many try", async () => {
    const results = await Promise.all(["a", "b", "c"].map((key) => createDirectoryStore(join(directory, "keys")).create({ key })));

    expect(results.filter((result) => result === "created")).toHaveLength(1);
    expect(await createDirectoryStore(join(directory, "keys")).create({ key: "late" })).toBe("exists");
    expect(Object.keys((await createDirectoryStore(join(directory, "keys")).read()) ?? {})).toEqual(["key"]);
  });

  it("replaces all values at once, keeps one version, and lets only the owner read", async () => {
    const store = createDirectoryStore(directory);
    await store.create({ "root.key": "one", old: "x" });

    await store.write({ "root.key": "two" });

    expect(await store.read()).toEqual({ "root.key": "two" });
    expect(readdirSync(directory).filter((name) => name.startsWith("version-"))).toHaveLength(1);
    expect((statSync(join(directory, "current", "root.key")).mode & 0o777).toString(8)).toBe("600");
    expect((statSync(join(directory, "current/")).mode & 0o777).toString(8)).toBe("700");
  });

  it("never gives a mixture while it is being replaced", async () => {
    const store = createDirectoryStore(directory);
    await store.create({ a: "0", b: "0" });
    const seen: unknown[] = [];
    let isWriting = true;
    async function readAll(): Promise<void> {
      while (isWriting) seen.push(await store.read());
    }

    const reading = readAll();
    for (let n = 1; n <= 30; n += 1) await store.write({ a: String(n), b: String(n) });
    isWriting = false;
    await reading;

    expect(seen.filter((values) => JSON.stringify(values) !== JSON.stringify({ a: (values as { a: string }).a, b: (values as { a: string }).a }))).toEqual([]);
    expect(seen.length).toBeGreaterThan(3);
  });

  it("refuses a name that leaves the directory", async () => {
    await expect(createDirectoryStore(directory).write({ "../out": "x" })).rejects.toThrow("cannot keep a value named");
  });
});
