import type { KeyStore } from "../../../../src/std/key-store.ts";

/** A KeyStore in memory; several authorities on one are several replicas. */
export function createMemoryStore(initial?: Readonly<Record<string, string>>): KeyStore {
  let stored = initial;
  return {
    read: async () => stored,
    create: async (values) => {
      if (stored !== undefined) return "exists";
      stored = values;
      return "created";
    },
    write: async (values) => {
      stored = values;
    },
  };
}
