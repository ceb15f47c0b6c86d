import { describe, expect, it } from "vitest";
import { createDebounce, type Clock } from "../../../src/controller/debounce.ts";

/** Time that passes when told. */
class FakeClock implements Clock {
  #now = 0;
  #timers: { readonly at: number; readonly run: () => void }[] = [];
  now(): number {
    return this.#now;
  }
  schedule(milliseconds: number, run: () => void): () => void {
    const timer = { at: this.#now + milliseconds, run };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((other) => other !== timer));
  }
  pass(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (let due = this.#due(end); due !== undefined; due = this.#due(end)) {
      this.#now = Math.max(this.#now, due.at);
      this.#timers = this.#timers.filter((other) => other !== due);
      due.run();
    }
    this.#now = end;
  }
  #due(end: number) {
    return this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  }
}

function setUp() {
  const clock = new FakeClock();
  const runs: { readonly at: number; readonly changedAt: number }[] = [];
  const debounce = createDebounce({ run: (changedAt) => runs.push({ at: clock.now(), changedAt }), quiet: 20, max: 200, clock });
  clock.pass(1000);
  return { clock, runs, debounce };
}

describe("the debounce of changes", () => {
  it("serves the first change after a quiet time at once", () => {
    const { clock, runs, debounce } = setUp();

    debounce.trigger();
    clock.pass(0);

    expect(runs).toEqual([{ at: 1000, changedAt: 1000 }]);
  });

  it("serves a burst once, when it is over, and knows when it began", () => {
    const { clock, runs, debounce } = setUp();
    debounce.trigger();
    clock.pass(0);

    for (let change = 0; change < 5; change++) {
      clock.pass(5);
      debounce.trigger();
    }
    clock.pass(100);

    expect(runs).toEqual([{ at: 1000, changedAt: 1000 }, { at: 1045, changedAt: 1005 }]);
  });

  it("does not let a burst that goes on wait longer than the maximum", () => {
    const { clock, runs, debounce } = setUp();
    debounce.trigger();
    clock.pass(0);

    for (let change = 0; change < 50; change++) {
      clock.pass(10);
      debounce.trigger();
    }

    expect(runs.slice(0, 3)).toEqual([{ at: 1000, changedAt: 1000 }, { at: 1210, changedAt: 1010 }, { at: 1410, changedAt: 1210 }]);
  });

  it("does nothing after it was stopped", () => {
    const { clock, runs, debounce } = setUp();

    debounce.trigger();
    debounce.stop();
    clock.pass(1000);

    expect(runs).toEqual([]);
  });
});
