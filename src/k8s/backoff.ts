import { setTimeout as delay } from "node:timers/promises";

/** Waits that grow from `first` to `longest`, each by a random half (so that many clients do not return at once). */
export class Backoff {
  readonly #first: number;
  readonly #longest: number;
  #tries = 0;

  /** Both in milliseconds. */
  constructor(first: number, longest: number) {
    this.#first = first;
    this.#longest = longest;
  }

  reset(): void {
    this.#tries = 0;
  }

  /** Waits; at least `atLeast` milliseconds. Resolves early, without an error, when `signal` aborts. */
  async wait(signal: AbortSignal, atLeast = 0): Promise<void> {
    const whole = Math.min(this.#longest, this.#first * 2 ** Math.min(this.#tries, 20));
    this.#tries += 1;
    await pause(Math.max(atLeast, whole * (0.5 + Math.random() / 2)), signal);
  }
}

/** Resolves after that many milliseconds, or early, without an error, when `signal` aborts. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined);
}
