import type { StatsdLine, StatsdType } from "./statsd.ts";

interface Entry<T> {
  readonly type: StatsdType;
  readonly name: Uint8Array;
  readonly tags: Uint8Array;
  found: T;
  /** Another identity of the same hash. */
  readonly next: Entry<T> | undefined;
}

/** A line among the bytes that it was parsed from. */
export interface LineAt {
  readonly bytes: Uint8Array;
  /** Where the line, and so its name, begins. */
  readonly start: number;
  readonly line: StatsdLine;
}

/**
 * What is known of a line's name, type and tags, by their bytes: to look up a line makes no string, which is most of
 * what it would cost otherwise. When `limit` identities are kept, the next one begins anew: no sender can fill the memory.
 * The hash can be foreseen, so one chain may grow long by ill will; then it is cut off.
 */
export class IdentityTable<T> {
  readonly #limit: number;
  readonly #entries = new Map<number, Entry<T>>();
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(at: LineAt): T | undefined {
    return this.#find(at)?.found;
  }

  set(at: LineAt, found: T): void {
    const known = this.#find(at);
    if (known !== undefined) known.found = found;
    else this.#add(at, found);
  }

  #find(at: LineAt): Entry<T> | undefined {
    let entry = this.#entries.get(hashOf(at));
    while (entry !== undefined && !isSame(entry, at)) entry = entry.next;
    return entry;
  }

  #add(at: LineAt, found: T): void {
    if (this.#size >= this.#limit) {
      this.#entries.clear();
      this.#size = 0;
    }
    const { bytes, start, line } = at;
    const hash = hashOf(at);
    const chain = this.#entries.get(hash);
    const next = chainLength(chain) < maxChain ? chain : undefined;
    // slice copies: the chunk is gone after this line.
    const name = Uint8Array.prototype.slice.call(bytes, start, line.nameEnd);
    const tags = Uint8Array.prototype.slice.call(bytes, line.tagsStart, line.tagsEnd);
    this.#entries.set(hash, { type: line.type, name, tags, found, next });
    this.#size++;
  }
}

const maxChain = 8;

function chainLength(entry: Entry<unknown> | undefined): number {
  let length = 0;
  for (let at = entry; at !== undefined; at = at.next) length++;
  return length;
}

/** FNV-1a over name and tags; the type is left to the comparison. */
function hashOf({ bytes, start, line }: LineAt): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < line.nameEnd; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  for (let at = line.tagsStart; at < line.tagsEnd; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  // 30 bits: what V8 keeps without an object of its own.
  return hash & 0x3fffffff;
}

function isSame<T>(entry: Entry<T>, { bytes, start, line }: LineAt): boolean {
  if (entry.type !== line.type) return false;
  if (entry.name.length !== line.nameEnd - start || entry.tags.length !== line.tagsEnd - line.tagsStart) return false;
  return standsAt(entry.name, bytes, start) && standsAt(entry.tags, bytes, line.tagsStart);
}

function standsAt(part: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let at = 0; at < part.length; at++) if (part[at] !== bytes[start + at]) return false;
  return true;
}
