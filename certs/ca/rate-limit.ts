/** A token bucket per key: `burst` at once, `perSecond` in the long run. */
export interface RateLimit {
  readonly burst: number;
  readonly perSecond: number;
}

interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

/** Keys remembered at most; full buckets are forgotten first. */
const maxBuckets = 50_000;

export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  /** 0 = go on; else the whole seconds to wait. `now` in milliseconds. */
  take(key: string, now: number): number {
    const tokens = this.#tokens(key, now);
    if (tokens < 1) return Math.ceil((1 - tokens) / this.#limit.perSecond);
    if (this.#buckets.size >= maxBuckets) this.#forgetFull(now);
    this.#buckets.set(key, { tokens: tokens - 1, at: now });
    return 0;
  }

  #tokens(key: string, now: number): number {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return this.#limit.burst;
    const gained = (Math.max(0, now - bucket.at) / 1000) * this.#limit.perSecond;
    return Math.min(this.#limit.burst, bucket.tokens + gained);
  }

  #forgetFull(now: number): void {
    for (const key of this.#buckets.keys()) {
      if (this.#tokens(key, now) >= this.#limit.burst) this.#buckets.delete(key);
    }
  }
}
