import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { Reconciler, type ReconcilerOptions } from "../../../src/controller/reconciler.ts";

describe("the reconciler", () => {
  let reconciler: Reconciler;
  afterEach(() => reconciler.stop());

  function start(options: Partial<ReconcilerOptions> & Pick<ReconcilerOptions, "desired" | "write">): void {
    reconciler = new Reconciler({ isSeen: () => false, what: "thing", logger: pino({ level: "silent" }), retry: 1, ...options });
    reconciler.start();
  }

  it("writes each value once", async () => {
    const writes: string[] = [];
    const desired = new Map([["a", "1"], ["b", "1"]]);
    start({ desired: () => desired, write: async (key, value) => void writes.push(`${key}=${value}`) });
    await expect.poll(() => writes).toEqual(["a=1", "b=1"]);

    desired.set("b", "2");
    reconciler.trigger();

    await expect.poll(() => writes).toEqual(["a=1", "b=1", "b=2"]);
  });

  it("does not write what is there already, and writes over what somebody else wrote", async () => {
    const writes: string[] = [];
    const seen = new Map([["a", "1"]]);
    start({ desired: () => new Map([["a", "1"], ["b", "1"]]), isSeen: (key, value) => seen.get(key) === value, write: async (key) => void writes.push(key) });
    await expect.poll(() => writes).toEqual(["b"]);
    seen.set("b", "1");
    reconciler.trigger();
    await expect.poll(() => writes).toEqual(["b"]);

    seen.set("a", "other");
    reconciler.trigger();

    await expect.poll(() => writes).toEqual(["b", "a"]);
  });

  it("goes on past what fails, and tries it again", async () => {
    const writes: string[] = [];
    let failures = 2;
    start({
      desired: () => new Map([["a", "1"], ["b", "1"]]),
      write: async (key) => {
        if (key === "a" && failures-- > 0) throw new Error("away");
        writes.push(key);
      },
    });

    await expect.poll(() => writes).toEqual(["b", "a"]);
  });

  it("writes nothing after it was stopped", async () => {
    const writes: string[] = [];
    start({ desired: () => new Map([["a", "1"]]), write: async (key) => void writes.push(key) });
    await expect.poll(() => writes).toEqual(["a"]);
    await reconciler.stop();

    reconciler.trigger();
    await Promise.resolve();

    expect(writes).toEqual(["a"]);
  });
});
