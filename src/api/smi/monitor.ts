import { Type, type Static } from "typebox";
import { Selector } from "./selector.ts";
import type { Meta } from "../kubernetes.ts";

const labelMap = Type.Record(Type.String(), Type.String());

/** `spec` of Monitor (seed 000). `metricLabels` replaces the pods' labels when present, `{}` = none. */
export const MonitorSpec = Type.Object({
  selector: Selector,
  metricLabels: Type.Optional(labelMap),
  /** The other spelling of the seed's prose; `metricLabels` wins. */
  metricsLabels: Type.Optional(labelMap),
});
export type MonitorSpec = Static<typeof MonitorSpec>;

/** Written by the controller: the URL at which the metrics server serves all pods that the Monitor selects. */
export const MonitorStatus = Type.Object({ metricsServer: Type.Optional(Type.String()) });
export type MonitorStatus = Static<typeof MonitorStatus>;

export interface Monitor {
  readonly kind: "Monitor";
  readonly metadata: Meta;
  readonly spec: MonitorSpec;
  readonly status: MonitorStatus;
}
