import { Counter, Histogram, Registry } from "prom-client";
import { reasons, type ReasonCode } from "./inject/reasons.ts";

/** What the webhook counts; the only label is the reason code, so the number of series is fixed. */
export interface AdmissionMetrics {
  readonly registry: Registry;
  admitted(code: ReasonCode, seconds: number): void;
  /** A call that was no request we can answer. */
  refused(): void;
}

/** From a tenth of a millisecond, which an injection takes, to the second after which something is wrong. */
const buckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1];

export function createMetrics(registry: Registry = new Registry()): AdmissionMetrics {
  const admissions = new Counter({ name: "weft_admissions_total", help: "Pods answered, by reason code.", labelNames: ["code"], registers: [registry] });
  const duration = new Histogram({ name: "weft_admission_duration_seconds", help: "From the parsed request to its answer.", buckets, registers: [registry] });
  const refusals = new Counter({ name: "weft_admission_requests_refused_total", help: "Calls that were no valid AdmissionReview.", registers: [registry] });
  for (const code of Object.keys(reasons)) admissions.inc({ code }, 0);
  return {
    registry,
    admitted(code, seconds) {
      admissions.inc({ code });
      duration.observe(seconds);
    },
    refused() {
      refusals.inc();
    },
  };
}
