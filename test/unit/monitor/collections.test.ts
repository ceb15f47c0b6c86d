import { describe, expect, it } from "vitest";
import { Account, Allowance } from "../../../src/monitor/allowance.ts";
import { Collections } from "../../../src/monitor/collections.ts";

/** All that there is for answers. */
const most = 192 * 1024 * 1024;

describe("an allowance", () => {
  it("gives what is left, and takes it back", () => {
    const allowance = new Allowance(10);
    const [one, two] = [new Account(allowance), new Account(allowance)];

    one.take(6);
    expect(() => two.take(5)).toThrow("too many metrics are being read at a time");
    two.take(4);
    one.close();
    one.close();
    two.take(6);

    expect(() => two.take(1)).toThrow("nothing is left");
  });
});

describe("collections", () => {
  it("keeps what an answer costs until the last of its readers is done", async () => {
    const collections = new Collections();
    const first = collections.open("shop/a", async ({ account }) => (account.take(most), []));
    const second = collections.open("shop/a", () => expect.unreachable());
    await first.answers;

    first.release();
    await expect(collections.open("shop/b", async ({ account }) => (account.take(1), [])).answers).rejects.toThrow("nothing is left");
    second.release();
    await expect.poll(() => collections.open("shop/b", async ({ account }) => (account.take(1), [])).answers.then(() => "taken", () => "refused")).toBe("taken");
  });

  it("gives back what was read for readers that are gone", async () => {
    const collections = new Collections();
    const reading = Promise.withResolvers<void>();
    const gone = collections.open("shop/a", async ({ account }) => {
      await reading.promise;
      account.take(most);
      return [];
    });

    gone.release();
    reading.resolve();

    await expect.poll(() => collections.open("shop/b", async ({ account }) => (account.take(most), [])).answers.then(() => "taken", () => "refused")).toBe("taken");
  });
});
