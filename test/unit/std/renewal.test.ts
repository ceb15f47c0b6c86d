import { describe, expect, it } from "vitest";
import { renewal } from "../../../src/std/renewal.ts";

const times = { issuedAt: 1_000_000, expiresAt: 1_000_000 + 60_000 };

describe("renewal", () => {
  it("waits until two thirds of the life", () => {
    expect(renewal(times, 1_000_000, 0.5)).toEqual({ kind: "wait", until: 1_040_000 });
  });

  it("spreads over a tenth of the life", () => {
    expect(renewal(times, 1_000_000, 0)).toEqual({ kind: "wait", until: 1_037_000 });
    expect(renewal(times, 1_000_000, 0.999_999_9)).toEqual({ kind: "wait", until: 1_043_000 });
  });

  it("renews from then on, also after the end", () => {
    expect(renewal(times, 1_040_000, 0.5)).toEqual({ kind: "renew" });
    expect(renewal(times, 9_000_000, 0.5)).toEqual({ kind: "renew" });
  });
});
