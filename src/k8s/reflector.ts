import type { ParseResult } from "../api/parse.ts";
import { parseObject } from "../api/parse.ts";
import type { MeshKind } from "../api/objects.ts";
import type { Logger } from "../runtime/logger.ts";
import { Backoff, pause } from "./backoff.ts";
import { ApiError, type KubeClient } from "./client.ts";
import { readWatch, type WatchEvent } from "./watch-stream.ts";

/** Where a reflector tells what it saw; keys are `namespace/name`, or `name`. Never called after the signal aborted. */
export interface ReflectorSink {
  /** All objects, as listed. */
  replace(objects: ReadonlyMap<string, ParseResult>): void;
  /** Changes in the order in which they happened; undefined = removed. */
  change(changes: readonly (readonly [string, ParseResult | undefined])[]): void;
  /** What keeps it from knowing the state, in a sentence; undefined = nothing. */
  trouble(sentence: string | undefined): void;
}

export interface ReflectorOptions {
  readonly client: KubeClient;
  readonly kind: MeshKind;
  readonly apiVersion: string;
  /** Of the list over all namespaces. */
  readonly path: string;
  readonly sink: ReflectorSink;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Pages keep the parsing of a large cluster from blocking the process; the server ends each watch after some minutes. */
const pageSize = "500";
const watchSeconds = { least: 300, spread: 300 } as const;
/** A watch that lasted so long was a good one, even when it had nothing to tell. */
const steadyMilliseconds = 30_000;
/** How often a kind that the API server does not have (its CRD is not installed) is asked for again. */
const missingMilliseconds = 10_000;

/**
 * Keeps the sink up to date with one kind until the signal aborts: list, watch, and again, whatever happens to the API
 * server. Each object is trimmed at once, so that memory holds what we use (a list of raw Pods is 20 times as much).
 */
export async function runReflector(options: ReflectorOptions): Promise<void> {
  const backoff = new Backoff(500, 30_000);
  let version: string | undefined;
  while (!options.signal.aborted) {
    const step = await takeStep(options, version, backoff);
    if (options.signal.aborted) return;
    version = step.version;
    if (step.wait === "backoff") await backoff.wait(options.signal, step.atLeast);
    if (step.wait === "missing") await pause(missingMilliseconds * (1 + Math.random() / 2), options.signal);
  }
}

/** Where to go on (undefined = list anew), and whether to wait before. */
interface Step {
  readonly version: string | undefined;
  readonly wait: "no" | "backoff" | "missing";
  readonly atLeast?: number;
}

async function takeStep(options: ReflectorOptions, version: string | undefined, backoff: Backoff): Promise<Step> {
  const progress = { version };
  try {
    if (version === undefined) progress.version = await list(options);
    else await watchOnce(options, progress, backoff);
    options.sink.trouble(undefined);
    // A watch that ends at once, again and again, must not become a busy loop.
    return { version: progress.version, wait: version === undefined ? "no" : "backoff" };
  } catch (error) {
    return recover(options, progress.version, error);
  }
}

function recover(options: ReflectorOptions, version: string | undefined, error: unknown): Step {
  const { kind, logger, sink, signal } = options;
  if (signal.aborted) return { version, wait: "no" };
  const status = error instanceof ApiError ? error.status : 0;
  if (status === 404) {
    sink.replace(new Map());
    sink.trouble(undefined);
    logger.debug({ kind }, "kind is not installed");
    return { version: undefined, wait: "missing" };
  }
  if (status === 410) {
    logger.info({ kind }, "history is gone, listing anew");
    return { version: undefined, wait: "backoff" };
  }
  const sentence = error instanceof Error ? error.message : String(error);
  logger.warn({ kind, err: error }, "cannot follow kind, trying again");
  sink.trouble(`${kind}: ${sentence}`);
  const retryAfter = error instanceof ApiError ? (error.retryAfter ?? 0) : 0;
  return { version, wait: "backoff", atLeast: retryAfter * 1000 };
}

/** Resolves with the version to watch from. */
async function list({ client, path, sink, signal, kind, apiVersion }: ReflectorOptions): Promise<string> {
  const objects = new Map<string, ParseResult>();
  let page: ListPage | undefined;
  do {
    const query: Record<string, string> = { limit: pageSize };
    if (page?.metadata.continue !== undefined) query["continue"] = page.metadata.continue;
    page = (await client.request({ method: "GET", path, query, signal })) as ListPage;
    // Items of built-in kinds come without kind and apiVersion.
    for (const item of page.items) objects.set(keyOf(item), parseObject({ ...item, kind, apiVersion }));
  } while (page.metadata.continue);
  if (!signal.aborted) sink.replace(objects);
  return page.metadata.resourceVersion;
}

interface ListPage {
  readonly items: readonly Readonly<Record<string, unknown>>[];
  readonly metadata: { readonly continue?: string; readonly resourceVersion: string };
}

/** `progress.version` goes on with each event, so that what was seen is not asked for again after a break. */
async function watchOnce(options: ReflectorOptions, progress: { version: string | undefined }, backoff: Backoff): Promise<void> {
  const { client, path, sink, signal } = options;
  const seconds = watchSeconds.least + Math.floor(Math.random() * watchSeconds.spread);
  const query = { watch: "true", allowWatchBookmarks: "true", resourceVersion: progress.version ?? "", timeoutSeconds: String(seconds) };
  // The server ends the watch by itself; ours is for one that has gone silent.
  const limit = AbortSignal.any([signal, AbortSignal.timeout((seconds + 30) * 1000)]);
  const stream = await client.open({ method: "GET", path, query, signal: limit });
  const opened = performance.now();
  sink.trouble(undefined);
  for await (const events of readWatch(stream)) {
    if (signal.aborted) return;
    const changes = events.flatMap((event) => toChange(options, event));
    progress.version = versionOf(events.at(-1)) ?? progress.version;
    backoff.reset();
    if (changes.length > 0) sink.change(changes);
  }
  if (performance.now() - opened > steadyMilliseconds) backoff.reset();
}

function toChange({ kind, apiVersion }: ReflectorOptions, { type, object }: WatchEvent): readonly (readonly [string, ParseResult | undefined])[] {
  if (type === "BOOKMARK") return [];
  if (type === "ERROR") throw watchError(object);
  return [[keyOf(object), type === "DELETED" ? undefined : parseObject({ ...object, kind, apiVersion })]];
}

function watchError(status: Readonly<Record<string, unknown>>): ApiError {
  const { code, reason, message } = status;
  return new ApiError(`watch: ${String(message)}`, { status: typeof code === "number" ? code : 0, reason: typeof reason === "string" ? reason : "" });
}

interface RawMeta {
  readonly namespace?: string;
  readonly name?: string;
  readonly resourceVersion?: string;
}

function keyOf(object: Readonly<Record<string, unknown>>): string {
  const { namespace, name = "" } = (object["metadata"] ?? {}) as RawMeta;
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function versionOf(event: WatchEvent | undefined): string | undefined {
  return ((event?.object["metadata"] ?? {}) as RawMeta).resourceVersion;
}
