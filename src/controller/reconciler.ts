import type { Logger } from "../runtime/logger.ts";

export interface ReconcilerOptions {
  /** What shall be, by key. */
  readonly desired: () => ReadonlyMap<string, string>;
  /** Whether it is so already, as far as can be seen without asking. */
  readonly isSeen: (key: string, value: string) => boolean;
  readonly write: (key: string, value: string) => Promise<unknown>;
  /** For the log: `trust bundle`. */
  readonly what: string;
  readonly logger: Logger;
  /** Milliseconds until a failed write is tried again; default 5 s. */
  readonly retry?: number;
  /** Milliseconds after which all is written again, because somebody may have taken it away; default never. */
  readonly resync?: number;
}

/** Writes what is not as it shall be, one after the other, each value once; what fails is told and tried again. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #written = new Map<string, string>();
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #retry: NodeJS.Timeout | undefined;
  #resync: NodeJS.Timeout | undefined;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  start(): void {
    const { resync } = this.#options;
    if (resync !== undefined) this.#resync = setInterval(() => this.#rewrite(), resync);
    this.trigger();
  }

  /** What shall be may have changed. */
  trigger(): void {
    this.#again = true;
    if (this.#stopped || this.#running !== undefined) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#again) this.trigger();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    clearInterval(this.#resync);
    await this.#running;
  }

  #rewrite(): void {
    this.#written.clear();
    this.trigger();
  }

  async #run(): Promise<void> {
    // Changes of the same turn are looked at once.
    await Promise.resolve();
    this.#again = false;
    const { desired, retry = 5_000 } = this.#options;
    const shall = desired();
    for (const key of this.#written.keys()) if (!shall.has(key)) this.#written.delete(key);
    let failed = 0;
    for (const [key, value] of shall) {
      if (this.#stopped) return;
      if (!(await this.#bring(key, value))) failed++;
    }
    clearTimeout(this.#retry);
    if (failed > 0 && !this.#stopped) this.#retry = setTimeout(() => this.trigger(), retry);
  }

  /** Whether it is as it shall be. */
  async #bring(key: string, value: string): Promise<boolean> {
    const { isSeen, write, logger, what } = this.#options;
    if (isSeen(key, value)) {
      // From here on a difference is somebody else's doing, and is written over.
      this.#written.delete(key);
      return true;
    }
    if (this.#written.get(key) === value) return true;
    try {
      await write(key, value);
      this.#written.set(key, value);
      return true;
    } catch (err) {
      logger.warn({ err, object: key }, `${what} not written; it is tried again`);
      return false;
    }
  }
}
