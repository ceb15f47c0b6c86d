import type { DropReason } from "./drop-reasons.ts";

/**
 * Statsd on the level of bytes: lines out of chunks, and one line's parts.
 *
 * Plain statsd and DogStatsD 1.0–1.2: `NAME:VALUE[:VALUE…]|TYPE[|@RATE][|#TAG,…][|…]`. Other sections (DogStatsD's
 * container id and timestamp) are skipped: a sample counts at the time it arrives. Name and tags stay offsets, because
 * nearly every line belongs to a series that is known already, and decoding text is what costs.
 */

/** Bytes of one line; a longer one is skipped up to its newline. */
export const maxLineLength = 4096;
/** Bytes of name and tags: what one series may cost. */
export const maxIdentityLength = 1024;

/** Counter, gauge, timer (milliseconds), histogram and distribution. */
export type StatsdType = "c" | "g" | "ms" | "h" | "d";

export interface StatsdValue {
  readonly amount: number;
  /** A gauge's `+1` or `-1`: a step, not a value. */
  readonly relative: boolean;
}

/** Offsets are into the bytes that were parsed; the name begins at `start`. */
export interface StatsdLine {
  readonly nameEnd: number;
  readonly type: StatsdType;
  /** At least one. */
  readonly values: readonly StatsdValue[];
  /** 0 < rate ≤ 1. */
  readonly rate: number;
  /** The text after `#`; start = end: none. */
  readonly tagsStart: number;
  readonly tagsEnd: number;
}

/** Called with the bytes and the offsets of one line, without its line end; never with an empty line. */
export type LineHandler = (bytes: Uint8Array, start: number, end: number) => void;

export interface LineSplitter {
  /** One chunk of a stream, cut anywhere. */
  write(chunk: Uint8Array): void;
  /** The stream has ended; a last line without a newline counts. */
  end(): void;
}

const colon = 0x3a;
const pipe = 0x7c;
const newline = 0x0a;
const plus = 0x2b;
const minus = 0x2d;
const zero = 0x30;

/** Parses one line, `bytes[start, end)`. Never throws: what is no line is the reason why not. */
export function parseLine(bytes: Uint8Array, start: number, end: number): StatsdLine | DropReason {
  const nameEnd = find(bytes, colon, { start, end });
  const valueEnd = find(bytes, pipe, { start, end });
  if (nameEnd === start || nameEnd >= valueEnd || valueEnd === end) return "malformed";
  const typeEnd = find(bytes, pipe, { start: valueEnd + 1, end });
  const type = typeAt(bytes, valueEnd + 1, typeEnd);
  if (type === undefined) return "type_unsupported";
  const values = valuesAt(bytes, { start: nameEnd + 1, end: valueEnd }, type);
  if (typeof values === "string") return values;
  const sections = sectionsAt(bytes, typeEnd, end);
  if (!(sections.rate > 0 && sections.rate <= 1)) return "sample_rate_invalid";
  if (nameEnd - start + sections.tagsEnd - sections.tagsStart > maxIdentityLength) return "identity_too_long";
  return { nameEnd, type, values, ...sections };
}

/** Cuts a stream into lines, whatever its chunks; `tooLong` is called once for each line over the limit. */
export function createLineSplitter(onLine: LineHandler, tooLong: () => void): LineSplitter {
  /** The beginning of a line whose end has not come yet. */
  let held: Uint8Array | undefined;
  let length = 0;
  let skipping = false;

  function hold(bytes: Uint8Array): void {
    if (skipping || bytes.length === 0) return;
    if (length + bytes.length > maxLineLength) {
      skipping = true;
      tooLong();
      return;
    }
    held ??= new Uint8Array(maxLineLength);
    held.set(bytes, length);
    length += bytes.length;
  }
  function finish(): void {
    if (held !== undefined && !skipping) emit(held, { start: 0, end: length }, onLine);
    length = 0;
    skipping = false;
  }
  function whole(bytes: Uint8Array, start: number, end: number): void {
    if (end - start > maxLineLength) tooLong();
    else emit(bytes, { start, end }, onLine);
  }

  return {
    write(chunk) {
      let start = 0;
      for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
        if (length > 0 || skipping) {
          hold(chunk.subarray(start, end));
          finish();
        } else {
          whole(chunk, start, end);
        }
        start = end + 1;
      }
      hold(chunk.subarray(start));
    },
    end: finish,
  };
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Without the carriage return of a line that ends in CRLF; an empty line is nobody's mistake. */
function emit(bytes: Uint8Array, { start, end }: Span, onLine: LineHandler): void {
  const last = end > start && bytes[end - 1] === 0x0d ? end - 1 : end;
  if (last > start) onLine(bytes, start, last);
}

/** The first offset of the byte, or the span's end. A loop: Uint8Array.indexOf would run past the span. */
function find(bytes: Uint8Array, byte: number, { start, end }: Span): number {
  let at = start;
  while (at < end && bytes[at] !== byte) at++;
  return Math.min(at, end);
}

function typeAt(bytes: Uint8Array, start: number, end: number): StatsdType | undefined {
  const first = bytes[start];
  if (end - start === 2) return first === 0x6d && bytes[start + 1] === 0x73 ? "ms" : undefined;
  if (end - start !== 1) return undefined;
  switch (first) {
    case 0x63:
      return "c";
    case 0x67:
      return "g";
    case 0x68:
      return "h";
    case 0x64:
      return "d";
    default:
      return undefined;
  }
}

function valuesAt(bytes: Uint8Array, { start, end }: Span, type: StatsdType): StatsdValue[] | DropReason {
  const values: StatsdValue[] = [];
  for (let at = start; at <= end; ) {
    const next = find(bytes, colon, { start: at, end });
    const amount = numberAt(bytes, at, next);
    if (!Number.isFinite(amount)) return next === at ? "malformed" : "value_invalid";
    if (amount < 0 && (type === "c" || type === "ms")) return "value_negative";
    const sign = bytes[at];
    values.push({ amount, relative: type === "g" && (sign === plus || sign === minus) });
    at = next + 1;
  }
  return values;
}

function sectionsAt(bytes: Uint8Array, start: number, end: number): { rate: number; tagsStart: number; tagsEnd: number } {
  const found = { rate: 1, tagsStart: end, tagsEnd: end };
  for (let at = start; at < end; ) {
    const next = find(bytes, pipe, { start: at + 1, end });
    if (bytes[at + 1] === 0x40) found.rate = numberAt(bytes, at + 2, next);
    if (bytes[at + 1] === 0x23) {
      found.tagsStart = at + 2;
      found.tagsEnd = next;
    }
    at = next;
  }
  return found;
}

/** NaN for what is no decimal number (`Number` alone would take `0x10`, `Infinity` and blanks). */
function numberAt(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  // 15 digits and a power of ten up to 10^15 are exact in a double, so their quotient is rounded once, as `Number` would.
  if (length < 1 || length > 15) return slowNumber(bytes, start, end);
  let value = 0;
  let point = end;
  for (let at = start; at < end; at++) {
    const digit = digitAt(bytes, at);
    if (digit >= 0 && digit <= 9) value = value * 10 + digit;
    else if (digit === -2 && point === end) point = at;
    else return slowNumber(bytes, start, end);
  }
  if (point === end) return value;
  return length === 1 ? Number.NaN : value / 10 ** (end - point - 1);
}

/** 0–9, or something else (a point is -2). */
function digitAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) - zero;
}

function slowNumber(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > 64) return Number.NaN;
  const text = String.fromCharCode(...bytes.subarray(start, end));
  return /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(text) ? Number(text) : Number.NaN;
}
