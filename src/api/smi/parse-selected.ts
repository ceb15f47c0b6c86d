import { Type, type Static } from "typebox";
import { MonitorSpec, MonitorStatus, type Monitor } from "./monitor.ts";
import { TlsConfigSpec, type TlsConfig } from "./tls-config.ts";
import { RawMetadata, trimMetadata } from "../parse-metadata.ts";
import type { Kept } from "../parse-kind.ts";

/** The two kinds that select pods by label. */
export const RawTlsConfig = Type.Object({ metadata: RawMetadata, spec: TlsConfigSpec });
export const RawMonitor = Type.Object({ metadata: RawMetadata, spec: MonitorSpec, status: Type.Optional(MonitorStatus) });

export function trimTlsConfig({ metadata, spec }: Static<typeof RawTlsConfig>): TlsConfig {
  return { kind: "TLSConfig", metadata: trimMetadata(metadata, "namespaced"), spec };
}

/** `metricsLabels` is taken as `metricLabels`; when both are there and differ, `metricLabels` wins, with a Problem. */
export function trimMonitor({ metadata, spec, status = {} }: Static<typeof RawMonitor>): Kept<Monitor> {
  const { metricsLabels, ...rest } = spec;
  const metricLabels = spec.metricLabels ?? metricsLabels;
  const object: Monitor = {
    kind: "Monitor",
    metadata: trimMetadata(metadata, "namespaced"),
    spec: metricLabels === undefined ? rest : { ...rest, metricLabels },
    status,
  };
  if (metricsLabels === undefined || sameLabels(metricsLabels, metricLabels ?? {})) return { object, faults: [] };
  const sentence = "metricLabels and metricsLabels are both given and differ; metricLabels is used. Remove metricsLabels.";
  return { object, faults: [{ code: "labels-conflict", sentence }] };
}

function sameLabels(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key]);
}
