import { createHash } from "node:crypto";

/** Requests that wait for a change; all are answered when the server stops. */
export class Waiters {
  readonly #waiting = new Set<AbortController>();
  readonly #onChange: (listener: () => void) => () => void;

  constructor(onChange: (listener: () => void) => () => void) {
    this.#onChange = onChange;
  }

  /** Starts a wait of at most `seconds`; call `end` whatever happens. */
  start(seconds: number): Wait {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), seconds * 1000);
    this.#waiting.add(controller);
    return {
      isOver: () => controller.signal.aborted,
      change: () => this.#change(controller.signal),
      end: () => {
        clearTimeout(timer);
        controller.abort();
        this.#waiting.delete(controller);
      },
    };
  }

  stop(): void {
    for (const controller of this.#waiting) controller.abort();
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
