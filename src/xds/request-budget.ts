/** Requests that one stream may send: `burst` at once, `perSecond` in the long run. Envoy sends one for each response, and a few more at its start. */
const burst = 2_000;
const perSecond = 100;

/** How much a stream has left; each request costs the controller a look at all that its proxy has. */
export class RequestBudget {
  #left = burst;
  #at: number;

  /** `now` in milliseconds of a monotonic clock. */
  constructor(now: number) {
    this.#at = now;
  }

  /** false: it has used up what it may. */
  take(now: number): boolean {
    this.#left = Math.min(burst, this.#left + ((now - this.#at) / 1000) * perSecond);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
