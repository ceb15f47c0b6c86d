/** Timers do not see that a clock was set or a machine slept: look at the clock this often. */
const longest = 60_000;

/** A wait that can be cut short; a wake-up that comes while nobody waits counts for the next wait. */
export class Pause {
  #isWoken = false;
  #resolve: (() => void) | undefined;

  wake(): void {
    this.#isWoken = true;
    this.#resolve?.();
  }

  /** Until `time` (milliseconds since 1970), a wake-up, or the end of `signal`. */
  async until(time: number, signal: AbortSignal): Promise<void> {
    while (!this.#isWoken && !signal.aborted && Date.now() < time) {
      await this.#slice(Math.min(time - Date.now(), longest), signal);
    }
    this.#isWoken = false;
  }

  #slice(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.#resolve = undefined;
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      signal.addEventListener("abort", done, { once: true });
      this.#resolve = done;
    });
  }
}

/** Half a second, doubled with each failure up to half a minute, of which a random half is waited for. */
export function backOff(failures: number, random: number): number {
  return Math.min(500 * 2 ** failures, 30_000) * (0.5 + random / 2);
}
