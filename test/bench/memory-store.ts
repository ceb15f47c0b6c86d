import type { KeyStore } from "../../src/std/key-store.ts";

/** Keys of one process, for benches. */
export function memoryStore(): KeyStore {
  let stored: Readonly<Record<string, string>> | undefined;
  return {
    read: () => Promise.resolve(stored),
    create: (values) => {
      if (stored !== undefined) return Promise.resolve("exists");
      stored = values;
      return Promise.resolve("created");
    },
    write: (values) => {
      stored = values;
      return Promise.resolve();
    },
  };
}
