/** The path at which the metrics server serves a Monitor, by its key `namespace/name`. */
export function metricsPath(monitorKey: string): string {
  return `/metrics/${monitorKey.split("/").map(encodeURIComponent).join("/")}`;
}
