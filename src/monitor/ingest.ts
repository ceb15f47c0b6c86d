import type { DropReason } from "./drop-reasons.ts";
import { IdentityTable, type LineAt } from "./identity-table.ts";
import { metricOf } from "./metric-names.ts";
import type { Registry, Series } from "./registry.ts";
import { createLineSplitter, parseLine, type LineSplitter } from "./statsd.ts";

/** The way from bytes to series. */
export interface Ingest {
  /** For one TCP connection. */
  stream(): LineSplitter;
  /** For one UDP packet: its lines are whole. */
  packet(bytes: Uint8Array): void;
}

/**
 * Feeds a registry with statsd. What a line's name, type and tags mean is worked out once and kept by their bytes; the
 * names that are dropped too, for Envoy sends some hundred of them at every flush. `maxNames` bounds what is kept.
 */
export function createIngest(registry: Registry, maxNames: number): Ingest {
  const known = new IdentityTable<Series | DropReason>(maxNames);

  function resolve(at: LineAt): Series | DropReason {
    const kept = known.get(at);
    if (kept !== undefined && (typeof kept === "string" || !kept.expired)) return kept;
    const { start, line } = at;
    const bytes = asBuffer(at.bytes);
    const name = bytes.toString("utf8", start, line.nameEnd);
    const metric = metricOf({ name, type: line.type, tags: bytes.toString("utf8", line.tagsStart, line.tagsEnd) });
    const found = typeof metric === "string" ? metric : registry.series(metric);
    // The other two reasons pass when series expire.
    if (found === "series_limit" || found === "type_conflict") return found;
    known.set(at, found);
    return found;
  }
  function take(bytes: Uint8Array, start: number, end: number): void {
    registry.countLine();
    const line = parseLine(bytes, start, end);
    if (typeof line === "string") return registry.drop(line);
    const series = resolve({ bytes, start, line });
    if (typeof series === "string") return registry.drop(series);
    for (const value of line.values) {
      const reason = registry.record(series, value, line.rate);
      if (reason !== undefined) registry.drop(reason);
    }
  }
  function tooLong(): void {
    registry.countLine();
    registry.drop("line_too_long");
  }
  function stream(): LineSplitter {
    return createLineSplitter(take, tooLong);
  }

  return {
    stream,
    packet(bytes) {
      const splitter = stream();
      splitter.write(bytes);
      splitter.end();
    },
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
