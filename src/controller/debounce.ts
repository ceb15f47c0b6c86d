/** Time, as tests can give it. */
export interface Clock {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Returns what cancels it. */
  schedule(milliseconds: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(milliseconds, run) {
    const timer = setTimeout(run, milliseconds);
    return () => clearTimeout(timer);
  },
};

export interface DebounceOptions {
  /** `changedAt` is the time of the first change that it covers. */
  readonly run: (changedAt: number) => void;
  /** Milliseconds without a change after which a burst is over. */
  readonly quiet: number;
  /** Milliseconds after which a burst that goes on is served. */
  readonly max: number;
  readonly clock: Clock;
}

export interface Debounce {
  trigger(): void;
  stop(): void;
}

/** Runs at once for a change after a quiet time (leading edge), then once per burst. */
export function createDebounce({ run, quiet, max, clock }: DebounceOptions): Debounce {
  let lastChange = Number.NEGATIVE_INFINITY;
  let pendingSince: number | undefined;
  let cancel: (() => void) | undefined;

  function fire(): void {
    const changedAt = pendingSince ?? clock.now();
    pendingSince = undefined;
    cancel = undefined;
    run(changedAt);
  }

  return {
    trigger() {
      const now = clock.now();
      const isFirst = pendingSince === undefined && now - lastChange >= quiet;
      lastChange = now;
      pendingSince ??= now;
      cancel?.();
      // Not in this very call: a source tells the changes of one moment one after the other.
      cancel = clock.schedule(isFirst ? 0 : Math.max(0, Math.min(quiet, pendingSince + max - now)), fire);
    },
    stop() {
      cancel?.();
    },
  };
}
