/** Objects → snapshot at each (debounced) change; each proxy's resources only when somebody asks for them. */
import type { Pod } from "../api/kubernetes.ts";
import type { MeshConfig } from "../api/mesh-config.ts";
import type { ObjectSource } from "../api/objects.ts";
import { buildResources } from "../envoy/resources.ts";
import { translate } from "../ir/translate.ts";
import { buildSnapshot } from "../mesh/build-snapshot.ts";
import type { MeshSnapshot, WorkloadKey } from "../mesh/snapshot.ts";
import type { Logger } from "../runtime/logger.ts";
import { compareProblems, type Problem } from "../std/problem.ts";
import type { ResourceSet } from "../std/resource-set.ts";
import { createDebounce, systemClock, type Clock } from "./debounce.ts";
import { createInterning } from "./interning.ts";

export interface PipelineOptions {
  readonly source: ObjectSource;
  /** Read at each rebuild. */
  readonly config: () => MeshConfig;
  readonly isInjected?: (pod: Pod) => boolean;
  readonly logger: Logger;
  readonly clock?: Clock;
}

export interface PipelineState {
  readonly snapshot: MeshSnapshot;
  /** Of the source and of the snapshot, sorted. */
  readonly problems: readonly Problem[];
  /** undefined: no such proxy. The same object as long as nothing changed for it. */
  resources(proxy: WorkloadKey): ResourceSet | undefined;
}

/** When the oldest change that is in the new state was seen, by the pipeline's clock; and what building took. */
export interface Publication {
  readonly changedAt: number;
  readonly buildMilliseconds: number;
}

export interface Pipeline {
  current(): PipelineState;
  /** Called after each rebuild; returns what ends it. */
  onPublish(listener: (publication: Publication) => void): () => void;
  stop(): void;
}

/** Milliseconds. */
const debounce = { quiet: 20, max: 200 } as const;

/** Waits for the source's first complete state: a mesh known by half would take configuration away from proxies. */
export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { source, logger, clock = systemClock } = options;
  await source.synced;
  const listeners = new Set<(publication: Publication) => void>();
  const proxies = createProxies(logger);
  let state = stateOf(options, proxies);

  function rebuild(changedAt: number): void {
    const startedAt = clock.now();
    try {
      state = stateOf(options, proxies);
    } catch (err) {
      logger.error({ err }, "snapshot cannot be built; the last good one stays");
      return;
    }
    const publication = { changedAt, buildMilliseconds: clock.now() - startedAt };
    for (const listener of listeners) listener(publication);
  }

  const changes = createDebounce({ run: rebuild, ...debounce, clock });
  const unlisten = source.onChange(() => changes.trigger());
  return {
    current: () => state,
    onPublish(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop() {
      unlisten();
      changes.stop();
    },
  };
}

function stateOf({ source, config, isInjected }: PipelineOptions, proxies: Proxies): PipelineState {
  const { objects, problems } = source.current();
  const built = buildSnapshot(objects, { config: config(), ...(isInjected !== undefined && { isInjected }) });
  proxies.next(built.snapshot);
  return {
    snapshot: built.snapshot,
    problems: [...problems, ...built.problems].sort(compareProblems),
    resources: (proxy) => proxies.resources(built.snapshot, proxy),
  };
}

interface Proxies {
  next(snapshot: MeshSnapshot): void;
  resources(snapshot: MeshSnapshot, proxy: WorkloadKey): ResourceSet | undefined;
}

interface Known {
  /** Of which `set` was made. */
  readonly snapshot: MeshSnapshot;
  readonly set: ResourceSet;
}

/** Resources by proxy, made at most once per snapshot. */
function createProxies(logger: Logger): Proxies {
  const interning = createInterning();
  const known = new Map<WorkloadKey, Known>();

  function make(snapshot: MeshSnapshot, proxy: WorkloadKey, previous: ResourceSet | undefined): ResourceSet | undefined {
    try {
      const ir = translate(snapshot, proxy);
      return ir === undefined ? undefined : interning.share(buildResources(ir), previous);
    } catch (err) {
      logger.error({ err, proxy }, "proxy cannot be translated; its last configuration stays");
      return previous;
    }
  }

  return {
    next(snapshot) {
      interning.next();
      for (const proxy of known.keys()) if (!snapshot.workloads.has(proxy)) known.delete(proxy);
    },
    resources(snapshot, proxy) {
      const before = known.get(proxy);
      if (before?.snapshot === snapshot) return before.set;
      const set = make(snapshot, proxy, before?.set);
      if (set !== undefined) known.set(proxy, { snapshot, set });
      return set;
    },
  };
}
