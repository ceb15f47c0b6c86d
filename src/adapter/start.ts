import type { Endpoint } from "../std/endpoint.ts";
import { compareText } from "../std/sort.ts";
import type { FamilyValues } from "../monitor/exposition.ts";
import { createIngest } from "../monitor/ingest.ts";
import { Registry } from "../monitor/registry.ts";
import type { Logger } from "../runtime/logger.ts";
import { listenMetrics } from "./metrics-listener.ts";
import { createSettingsReader, type SettingsReader } from "./settings.ts";
import { listenStatsd } from "./statsd-listener.ts";

export interface AdapterOptions {
  /** TCP and UDP. */
  readonly statsd: Endpoint;
  /** HTTP. */
  readonly metrics: Endpoint;
  /** What the agent writes; its `metricLabels` are on every series. */
  readonly settingsFile?: string;
  readonly maxSeries: number;
  /** 0 = series never expire. */
  readonly ttlMs: number;
  readonly logger: Logger;
}

export interface Adapter {
  /** Resolves when the pod asked the process to end. */
  readonly quit: Promise<void>;
  /** With the ports that were really taken. */
  readonly addresses: { readonly statsd: Endpoint; readonly metrics: Endpoint };
  stop(): Promise<void>;
}

/**
 * The adapter of one pod: statsd in, Prometheus out.
 * @throws when a port is taken.
 */
export async function startAdapter(options: AdapterOptions): Promise<Adapter> {
  const { logger } = options;
  const registry = new Registry({ maxSeries: options.maxSeries, ttlMs: options.ttlMs, now: () => performance.now() });
  const settings = createSettingsReader(options.settingsFile, logger);
  // Several spellings may lead to one series, and Envoy's unmapped names are kept too.
  const ingest = createIngest(registry, options.maxSeries * 2);
  const quit = Promise.withResolvers<void>();
  const statsd = await listenStatsd(options.statsd, ingest, logger);
  try {
    const source = { families: () => families(registry, settings), labels: () => settings.labels(), quit: quit.resolve };
    const metrics = await listenMetrics(options.metrics, source, logger);
    return {
      quit: quit.promise,
      addresses: { statsd: statsd.address, metrics: metrics.address },
      stop: async () => void (await Promise.all([statsd.stop(), metrics.stop()])),
    };
  } catch (error) {
    await statsd.stop();
    throw error;
  }
}

function families(registry: Registry, settings: SettingsReader): FamilyValues[] {
  const valid: FamilyValues = {
    family: { name: "weft_adapter_settings_valid", type: "gauge", help: "1 when the settings file can be used, 0 when the last good one is.", buckets: [] },
    series: [{ labels: [], value: settings.valid() ? 1 : 0 }],
  };
  return [...registry.collect(), valid].sort((a, b) => compareText(a.family.name, b.family.name));
}
