/** Memory that may be in use for one purpose, by all together; in bytes. */
export class Allowance {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** false: as much is not left, and nothing is taken. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#left += bytes;
  }
}

/** What one user of an allowance has taken, to be given back at once. */
export class Account {
  readonly #allowance: Allowance;
  #taken = 0;

  constructor(allowance: Allowance) {
    this.#allowance = allowance;
  }

  /** @throws when as much is not left. */
  take(bytes: number): void {
    if (!this.#allowance.take(bytes)) throw new Error("too many metrics are being read at a time; nothing is left for this pod's");
    this.#taken += bytes;
  }

  close(): void {
    this.#allowance.give(this.#taken);
    this.#taken = 0;
  }
}
