/** How long a change takes until every connected proxy has answered all that it was told because of it. Pure but for the clock given. */

export interface Convergence {
  /** From the change to the last answer. */
  readonly milliseconds: number;
  /** Proxies that were connected, those of them that were told something, and those that refused some of it. */
  readonly proxies: number;
  readonly told: number;
  readonly refused: number;
}

interface Publish<S> {
  readonly changedAt: number;
  readonly proxies: number;
  readonly waiting: Set<S>;
  readonly told: Set<S>;
  readonly refused: Set<S>;
}

export interface ConvergenceTracker<S> {
  begin(sessions: Iterable<S>, changedAt: number): void;
  /** A response was sent to it. */
  told(session: S): void;
  refused(session: S): void;
  /** It has answered everything, or is gone. */
  settled(session: S): void;
  /** Publishes that are not answered by all. */
  open(): number;
  /** The newest that told anybody anything. */
  last(): Convergence | undefined;
}

/** `now` and `changedAt` are milliseconds of one monotonic clock. */
export function trackConvergence<S>(now: () => number, onConverged: (convergence: Convergence) => void): ConvergenceTracker<S> {
  const publishes = new Set<Publish<S>>();
  let last: Convergence | undefined;

  function closeIfDone(publish: Publish<S>): void {
    if (publish.waiting.size > 0) return;
    publishes.delete(publish);
    if (publish.told.size === 0) return;
    const { proxies, told, refused, changedAt } = publish;
    last = { milliseconds: now() - changedAt, proxies, told: told.size, refused: refused.size };
    onConverged(last);
  }

  return {
    begin(sessions, changedAt) {
      const waiting = new Set(sessions);
      const publish = { changedAt, proxies: waiting.size, waiting, told: new Set<S>(), refused: new Set<S>() };
      publishes.add(publish);
      closeIfDone(publish);
    },
    told(session) {
      for (const publish of publishes) if (publish.waiting.has(session)) publish.told.add(session);
    },
    refused(session) {
      for (const publish of publishes) if (publish.waiting.has(session)) publish.refused.add(session);
    },
    settled(session) {
      for (const publish of publishes) if (publish.waiting.delete(session)) closeIfDone(publish);
    },
    open: () => publishes.size,
    last: () => last,
  };
}
