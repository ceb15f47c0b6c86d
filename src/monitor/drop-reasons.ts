/**
 * Why a line was not counted: label `reason` of `weft_adapter_dropped_total`, and a table of README.md (a test keeps the
 * two equal).
 */
export const dropReasons = {
  malformed: "the line is not NAME:VALUE|TYPE",
  line_too_long: "the line is longer than 4,096 bytes",
  identity_too_long: "name and tags are longer than 1,024 bytes together, or 2,048 as labels",
  type_unsupported: "the type is none of c, g, ms, h, d (sets, events and service checks are not taken)",
  value_invalid: "the value, or the sum it would give, is not a finite number",
  value_negative: "a counter or a timer cannot go down",
  sample_rate_invalid: "the sample rate is not above 0 and at most 1",
  unmapped: "a statistic of Envoy that weft does not export",
  name_reserved: "an application's metric may not begin with weft_",
  type_conflict: "the name is taken by a metric of another type",
  series_limit: "as many series as --max-series allows exist already",
} as const;

export type DropReason = keyof typeof dropReasons;
