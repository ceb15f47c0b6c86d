import { watch, type FSWatcher } from "node:fs";
import { dirname, resolve } from "node:path";
import { meshConfigDefaults } from "../api/mesh-config-defaults.ts";
import type { MeshConfig } from "../api/mesh-config.ts";
import type { MeshKind, ObjectSource, SourceState } from "../api/objects.ts";
import type { Logger } from "../runtime/logger.ts";
import type { Problem } from "../std/problem.ts";
import { assemble, changedKinds, noObjects } from "./assemble.ts";
import { readMeshConfig } from "./config-file.ts";
import { fileProblem, readContent, type FileContent } from "./file-content.ts";
import { scanDirectory, scanFile, type ScannedFile } from "./scan.ts";

export interface FilesSourceOptions {
  readonly directory: string;
  readonly logger: Logger;
  /** The mesh configuration; default: `weft.yaml` of the directory, which need not be there. */
  readonly config?: string;
  /** Derive EndpointSlices and undeclared Namespaces; default `all`. */
  readonly derive?: "all" | "nothing";
}

export interface FilesSource extends ObjectSource {
  /** The last good one. */
  meshConfig(): MeshConfig;
  /** What is wrong with the mesh configuration as it stands, in a few words each. */
  configFaults(): readonly string[];
  onMeshConfig(listener: (config: MeshConfig) => void): () => void;
}

/** How long events are gathered, and how often everything is looked at anyway: watching files is best effort. */
const settleMilliseconds = 20;
const rescanMilliseconds = 2000;

/**
 * Objects from a directory of YAML and JSON, watched. A file that cannot be read (half-written, say) keeps its last good
 * objects, with a Problem; a removed file's objects go.
 * @throws Error when the directory, or a file named by `config`, is not there.
 */
export async function startFilesSource(options: FilesSourceOptions): Promise<FilesSource> {
  const source = new DirectorySource(options);
  await source.start();
  return source;
}

class DirectorySource implements FilesSource {
  readonly synced: Promise<void> = Promise.resolve();
  readonly #options: FilesSourceOptions;
  readonly #listeners = new Set<(kinds: ReadonlySet<MeshKind>) => void>();
  readonly #configListeners = new Set<(config: MeshConfig) => void>();
  #state: SourceState = { objects: noObjects, problems: [] };
  #config: MeshConfig = meshConfigDefaults;
  #configFaults: readonly string[] = [];
  #files: ReadonlyMap<string, ScannedFile> = new Map();
  #configFile: ScannedFile | undefined;
  #contents: ReadonlyMap<string, { readonly scanned: ScannedFile; readonly content: FileContent }> = new Map();
  #trouble: string | undefined;
  #watchers: FSWatcher[] = [];
  #timer: NodeJS.Timeout | undefined;
  #scanning: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: FilesSourceOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#scan();
    if (this.#trouble !== undefined) throw new Error(this.#trouble);
    const { directory, config } = this.#options;
    this.#watch(directory, true);
    if (config !== undefined) this.#watch(dirname(resolve(config)), false);
    this.#schedule(rescanMilliseconds);
  }

  current(): SourceState {
    return this.#state;
  }

  trouble(): string | undefined {
    return this.#trouble;
  }

  meshConfig(): MeshConfig {
    return this.#config;
  }

  configFaults(): readonly string[] {
    return this.#configFaults;
  }

  onChange(listener: (kinds: ReadonlySet<MeshKind>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onMeshConfig(listener: (config: MeshConfig) => void): () => void {
    this.#configListeners.add(listener);
    return () => this.#configListeners.delete(listener);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
    await this.#scanning;
  }

  #watch(directory: string, recursive: boolean): void {
    const watcher = watch(directory, { recursive }, () => this.#schedule(settleMilliseconds));
    watcher.on("error", (err) => this.#options.logger.warn({ err, directory }, "cannot watch directory; it is read every two seconds"));
    this.#watchers.push(watcher);
  }

  #schedule(milliseconds: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#scanning = this.#scanning.then(() => this.#scan()).finally(() => this.#timer ?? this.#schedule(rescanMilliseconds));
    }, milliseconds);
  }

  /** Never rejects: a directory that is gone is trouble, and what it said stays. */
  async #scan(): Promise<void> {
    const { directory, config } = this.#options;
    try {
      this.#files = await scanDirectory(directory, this.#files);
      this.#configFile = config === undefined ? this.#files.get("weft.yaml") : await scanFile(config, this.#configFile);
      this.#trouble = config !== undefined && this.#configFile === undefined ? `The mesh configuration ${config} is not there.` : undefined;
    } catch (error) {
      this.#trouble = `The directory ${directory} cannot be read: ${describeError(error)}.`;
      return;
    }
    if (!this.#stopped) this.#update();
  }

  #update(): void {
    const [before, config] = [this.#state, this.#config];
    const configProblems = this.#readConfig();
    const { files, problems } = this.#readFiles();
    const state = assemble({ files, derive: this.#options.derive ?? "all", previous: before.objects });
    this.#state = { objects: state.objects, problems: [...configProblems, ...problems, ...state.problems] };
    const kinds = changedKinds(before.objects, state.objects);
    // What is made of the objects depends on the configuration too.
    if (kinds.size === 0 && config === this.#config && JSON.stringify(before.problems) === JSON.stringify(this.#state.problems)) return;
    for (const listener of this.#listeners) listener(kinds);
  }

  #readFiles(): { readonly files: ReadonlyMap<string, FileContent>; readonly problems: readonly Problem[] } {
    const problems: Problem[] = [];
    const contents = new Map<string, { readonly scanned: ScannedFile; readonly content: FileContent }>();
    for (const [name, scanned] of this.#files) {
      if (name === "weft.yaml") continue;
      const last = this.#contents.get(name);
      const read = readScanned(name, scanned, last);
      if ("unreadable" in read) problems.push(read.unreadable);
      contents.set(name, "unreadable" in read ? (last ?? { scanned: nothingScanned, content: nothing }) : { scanned, content: read });
    }
    this.#contents = contents;
    return { files: new Map([...contents].map(([name, { content }]) => [name, content])), problems };
  }

  /** A bad configuration is refused: the last good one stays. */
  #readConfig(): readonly Problem[] {
    const file = this.#options.config ?? "weft.yaml";
    const result = readMeshConfig(this.#configFile, file);
    this.#configFaults = "errors" in result ? result.errors : [];
    if ("errors" in result) return [configProblem(file, result.errors)];
    if (JSON.stringify(result.config) === JSON.stringify(this.#config)) return [];
    this.#config = result.config;
    for (const listener of this.#configListeners) listener(result.config);
    return [];
  }
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && error.code === "ENOENT" ? "there is no such directory" : error.message;
}

const nothing: FileContent = { objects: [], problems: [] };
const nothingScanned: ScannedFile = { stamp: "", text: "", error: undefined };

function readScanned(
  name: string,
  scanned: ScannedFile,
  last: { readonly scanned: ScannedFile; readonly content: FileContent } | undefined,
): FileContent | { readonly unreadable: Problem } {
  if (scanned.error !== undefined) return { unreadable: fileProblem(name, `${name} cannot be read: ${scanned.error}. Its last good content stays in force.`) };
  return last !== undefined && last.scanned.text === scanned.text ? last.content : readContent(scanned.text, name);
}

function configProblem(file: string, errors: readonly string[]): Problem {
  const sentence = `The mesh configuration is refused: ${errors.join("; ")}. The last good one stays in force.`;
  return { severity: "error", code: "object-invalid", object: { kind: "MeshConfig", namespace: "", name: file }, sentence };
}
