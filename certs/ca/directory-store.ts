import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { KeyStore } from "../../src/std/key-store.ts";

/**
 * Key material in a directory, for weft without a cluster: each version is a directory of its own with one file a value
 * (mode 0600), and `current` a symlink to it. A reader sees all of one version or all of another, also after a crash.
 * Only the owner can enter. The directory is made when first written.
 */
export function createDirectoryStore(directory: string): KeyStore {
  return {
    read: () => readVersion(directory),
    create: (values) => createFirst(directory, values),
    write: async (values) => {
      const version = await writeVersion(directory, values);
      await pointTo(directory, version);
      await removeOthers(directory, version);
    },
  };
}

const link = "current";

async function readVersion(directory: string): Promise<Record<string, string> | undefined> {
  const version = await readCurrent(directory);
  if (version === undefined) return undefined;
  try {
    return await readValues(join(directory, version));
  } catch (error) {
    // A writer may have removed it since; then there is a newer one.
    if (!isMissing(error) || (await readCurrent(directory)) === version) throw error;
    return readVersion(directory);
  }
}

async function readValues(version: string): Promise<Record<string, string>> {
  const names = await readdir(version);
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(version, name), "utf8")] as const)));
}

async function createFirst(directory: string, values: Readonly<Record<string, string>>): Promise<"created" | "exists"> {
  const version = await writeVersion(directory, values);
  try {
    // Making a symlink fails when there is one: that is what lets exactly one of several replicas win.
    await symlink(version, join(directory, link));
    return "created";
  } catch (error) {
    await rm(join(directory, version), { recursive: true, force: true });
    if (hasCode(error, "EEXIST")) return "exists";
    throw error;
  }
}

async function writeVersion(directory: string, values: Readonly<Record<string, string>>): Promise<string> {
  const version = `version-${randomUUID()}`;
  await mkdir(join(directory, version), { recursive: true, mode: 0o700 });
  for (const [name, value] of Object.entries(values)) {
    if (name !== basename(name) || name === "..") throw new Error(`The key store cannot keep a value named ${JSON.stringify(name)}.`);
    await writeFile(join(directory, version, name), value, { mode: 0o600, flush: true });
  }
  return version;
}

async function pointTo(directory: string, version: string): Promise<void> {
  const fresh = join(directory, `.${version}`);
  await symlink(version, fresh);
  await rename(fresh, join(directory, link));
}

/** Older versions go; a reader that has just looked at one finds it missing and looks again. */
async function removeOthers(directory: string, version: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.startsWith("version-") && name !== version);
  await Promise.all(names.map((name) => rm(join(directory, name), { recursive: true, force: true })));
}

async function readCurrent(directory: string): Promise<string | undefined> {
  try {
    return await readlink(join(directory, link));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return hasCode(error, "ENOENT");
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
