import { watch, type FSWatcher } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseMeshConfig, type MeshConfigResult } from "../api/mesh-config-defaults.ts";
import type { MeshConfig } from "../api/mesh-config.ts";
import type { Logger } from "../runtime/logger.ts";
import { scanFile, type ScannedFile } from "./scan.ts";
import { readDocuments } from "./yaml.ts";

/** The mesh configuration of a file, followed while the process runs. */
export interface WatchedConfig {
  /** The last good one; the same object until it says something else. */
  current(): MeshConfig;
  /** Called after each change; returns what ends it. */
  onChange(listener: (config: MeshConfig) => void): () => void;
  stop(): Promise<void>;
}

/** How long events are gathered, and how often the file is looked at anyway: watching files is best effort. */
const settleMilliseconds = 20;
const rescanMilliseconds = 2000;

/**
 * Reads a mesh configuration and follows it: also as a mounted ConfigMap, whose directory swaps a symlink. One that cannot
 * be used, or is gone, is told once, and the last good one stays.
 * @throws Error when the first one is missing or cannot be used; the message names the file and every fault.
 */
export async function watchMeshConfig(file: string, logger: Logger): Promise<WatchedConfig> {
  const scanned = await scanFile(file, undefined);
  const first = scanned === undefined ? { errors: ["it is not there"] } : readMeshConfig(scanned, file);
  if ("errors" in first) throw new Error(`The mesh configuration ${file} cannot be used: ${first.errors.join("; ")}.`);
  return new FollowedFile({ file, logger, config: first.config, scanned });
}

/** What a file says; no file at all means all defaults. */
export function readMeshConfig(scanned: ScannedFile | undefined, file: string): MeshConfigResult {
  if (scanned?.error !== undefined) return { errors: [scanned.error] };
  const { documents, problems } = readDocuments(scanned?.text ?? "", file);
  if (problems.length > 0) return { errors: problems };
  return documents.length > 1 ? { errors: [`${file} holds several documents`] } : parseMeshConfig(documents[0]);
}

interface FollowedOptions {
  readonly file: string;
  readonly logger: Logger;
  readonly config: MeshConfig;
  readonly scanned: ScannedFile | undefined;
}

class FollowedFile implements WatchedConfig {
  readonly #file: string;
  readonly #logger: Logger;
  readonly #listeners = new Set<(config: MeshConfig) => void>();
  readonly #watcher: FSWatcher;
  #config: MeshConfig;
  #scanned: ScannedFile | undefined;
  /** What was told last, so that the same is not told every two seconds. */
  #fault = "";
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor({ file, logger, config, scanned }: FollowedOptions) {
    this.#file = file;
    this.#logger = logger;
    this.#config = config;
    this.#scanned = scanned;
    this.#watcher = watch(dirname(resolve(file)), () => this.#schedule(settleMilliseconds));
    this.#watcher.on("error", (err) => logger.warn({ err, file }, "cannot watch the mesh configuration; it is read every two seconds"));
    this.#schedule(rescanMilliseconds);
  }

  current(): MeshConfig {
    return this.#config;
  }

  onChange(listener: (config: MeshConfig) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#watcher.close();
    await this.#reading;
  }

  #schedule(milliseconds: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#reading = this.#reading.then(() => this.#read()).finally(() => this.#timer ?? this.#schedule(rescanMilliseconds));
    }, milliseconds);
  }

  /** Never rejects. */
  async #read(): Promise<void> {
    const scanned = await scanFile(this.#file, this.#scanned);
    if (this.#stopped || (scanned !== undefined && scanned === this.#scanned)) return;
    this.#scanned = scanned;
    const result = scanned === undefined ? { errors: ["it is gone"] } : readMeshConfig(scanned, this.#file);
    if ("errors" in result) this.#refuse(result.errors.join("; "));
    else this.#take(result.config);
  }

  #refuse(reason: string): void {
    if (reason !== this.#fault) this.#logger.error({ file: this.#file, reason }, "mesh configuration refused, the last good one stays");
    this.#fault = reason;
  }

  #take(config: MeshConfig): void {
    this.#fault = "";
    if (JSON.stringify(config) === JSON.stringify(this.#config)) return;
    this.#config = config;
    this.#logger.info({ file: this.#file }, "mesh configuration changed");
    for (const listener of this.#listeners) listener(config);
  }
}
