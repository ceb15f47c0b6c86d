import { createHash } from "node:crypto";

/** Of one caller; an agent has one, and a second for a moment when it starts again. */
const maxWaits = 4;

/** Requests that wait for a change; all are answered when the server stops, and the oldest of a caller when it has too many. */
export class Waiters {
  /** By caller, oldest first. */
  readonly #waiting = new Map<string, Set<AbortController>>();
  readonly #onChange: (listener: () => void) => () => void;

  constructor(onChange: (listener: () => void) => () => void) {
    this.#onChange = onChange;
  }

  /** Starts a wait of at most `seconds`; call `end` whatever happens. */
  start(caller: string, seconds: number): Wait {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), seconds * 1000);
    // Who wants its answer at once takes nobody's place.
    if (seconds > 0) this.#add(caller, controller);
    return {
      isOver: () => controller.signal.aborted,
      change: () => this.#change(controller.signal),
      end: () => {
        clearTimeout(timer);
        controller.abort();
        this.#remove(caller, controller);
      },
    };
  }

  stop(): void {
    for (const waits of this.#waiting.values()) for (const controller of waits) controller.abort();
  }

  #add(caller: string, controller: AbortController): void {
    const waits = this.#waiting.get(caller) ?? new Set();
    this.#waiting.set(caller, waits);
    const [oldest] = waits.add(controller);
    if (waits.size <= maxWaits || oldest === undefined) return;
    waits.delete(oldest);
    oldest.abort();
  }

  #remove(caller: string, controller: AbortController): void {
    const waits = this.#waiting.get(caller);
    waits?.delete(controller);
    if (waits?.size === 0) this.#waiting.delete(caller);
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const unsubscribe = this.#onChange(done);
      signal.addEventListener("abort", done);
      if (signal.aborted) done();
      function done(): void {
        unsubscribe();
        signal.removeEventListener("abort", done);
        resolve();
      }
    });
  }
}

export interface Wait {
  readonly isOver: () => boolean;
  /** Resolves at the next change, or when the wait is over. */
  readonly change: () => Promise<void>;
  readonly end: () => void;
}

/** A strong validator (RFC 9110 §8.8.3) of a text. */
export function etagOf(text: string): string {
  return `"${createHash("sha256").update(text).digest("base64url").slice(0, 22)}"`;
}

/** Seconds of `Prefer: wait=60` (RFC 7240 §4.3), at most five minutes; 0 = answer at once. */
export function waitSeconds(prefer: string | string[] | undefined): number {
  const seconds = /(?:^|[,;\s])wait=([0-9]{1,6})(?:$|[,;\s])/.exec([prefer ?? ""].flat().join(","))?.[1];
  return Math.min(Number(seconds ?? 0), 300);
}
