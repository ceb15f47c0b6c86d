import type { MonitorStatus } from "../api/smi/monitor.ts";
import type { ObjectSource } from "../api/objects.ts";
import { metricsPath } from "../monitor/metrics-path.ts";
import type { Logger } from "../runtime/logger.ts";
import type { ObjectRef } from "../std/problem.ts";
import type { Pipeline } from "./pipeline.ts";
import { Reconciler } from "./reconciler.ts";

/** Rejects when it cannot be written now. */
export type WriteStatus = (object: ObjectRef, status: MonitorStatus) => Promise<unknown>;

export interface MonitorStatusOptions {
  readonly pipeline: Pipeline;
  readonly source: ObjectSource;
  /** URL of the metrics server, without path. */
  readonly metricsServer: () => string;
  readonly writeStatus: WriteStatus;
  readonly logger: Logger;
}

/** Keeps `status.metricsServer` of every Monitor; only the leader runs it. The returned function ends it. */
export function startMonitorStatus({ pipeline, source, metricsServer, writeStatus, logger }: MonitorStatusOptions): () => Promise<void> {
  const reconciler = new Reconciler({
    what: "Monitor status",
    logger,
    desired: () => {
      const base = metricsServer().replace(/\/+$/, "");
      return new Map([...pipeline.current().snapshot.monitors.keys()].map((key) => [key, base + metricsPath(key)]));
    },
    isSeen: (key, url) => source.current().objects.Monitor.get(key)?.status.metricsServer === url,
    write: (key, url) => {
      const [namespace = "", name = ""] = key.split("/");
      return writeStatus({ kind: "Monitor", namespace, name }, { metricsServer: url });
    },
  });
  const unlisten = pipeline.onPublish(() => reconciler.trigger());
  reconciler.start();
  return async () => {
    unlisten();
    await reconciler.stop();
  };
}
