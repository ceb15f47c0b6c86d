import type { PodAnswer } from "./merge.ts";
import { Account, Allowance } from "./allowance.ts";

/** The answers of one Monitor's pods, shared by all who asked while they were read. */
export interface Collection {
  readonly answers: Promise<readonly PodAnswer[]>;
  /** Whoever asked calls it once, when it needs the answers no longer. */
  release(): void;
}

export type Collect = (budget: { readonly allowance: Allowance; readonly account: Account }) => Promise<readonly PodAnswer[]>;

/** Bytes of pods' texts and of answers to be sent, of all requests together. */
const allowanceBytes = 192 * 1024 * 1024;

interface Open {
  readonly answers: Promise<readonly PodAnswer[]>;
  readonly account: Account;
  users: number;
}

/** One reading of the pods at a time for each Monitor, however many ask: anybody may, and each reading costs the pods too. */
export class Collections {
  readonly #allowance = new Allowance(allowanceBytes);
  readonly #running = new Map<string, Open>();

  open(monitorKey: string, collect: Collect): Collection {
    const open = this.#running.get(monitorKey) ?? this.#start(monitorKey, collect);
    open.users++;
    return {
      answers: open.answers,
      release() {
        open.users--;
        if (open.users === 0) void open.answers.catch(() => undefined).then(() => closeUnused(open));
      },
    };
  }

  #start(monitorKey: string, collect: Collect): Open {
    const account = new Account(this.#allowance);
    const answers = collect({ allowance: this.#allowance, account }).finally(() => this.#running.delete(monitorKey));
    const open = { answers, account, users: 0 };
    this.#running.set(monitorKey, open);
    return open;
  }
}

/** Only when it is all read: what is read for nobody must be given back too, and somebody may have come since. */
function closeUnused(open: Open): void {
  if (open.users === 0) open.account.close();
}
