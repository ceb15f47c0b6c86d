import { describe, expect, it } from "vitest";
import { authorityValidity, leafValidity } from "../../../../certs/x509/validity.ts";

const now = 1_800_000_000_500;
const signer = { notBefore: now - 30 * 86_400_000, notAfter: now + 30 * 86_400_000 };

describe("validity of leaves", () => {
  it("is backdated by an hour and ends after the wished time", () => {
    expect(leafValidity({ now, ttlSeconds: 60, signer })).toEqual({ notBefore: 1_799_996_400_000, notAfter: 1_800_000_060_000 });
  });

  it("never exceeds 24 hours in all, however much is wished", () => {
    const { notBefore, notAfter } = leafValidity({ now, ttlSeconds: 1e12, signer });

    expect(notAfter - notBefore).toBe(86_400_000);
  });

  it("stays within the signer's own", () => {
    expect(leafValidity({ now, ttlSeconds: 3600, signer: { notBefore: now - 500, notAfter: now + 9_500 } })).toEqual({ notBefore: 1_800_000_000_000, notAfter: 1_800_000_010_000 });
  });

  it("of an issuer too", () => {
    expect(authorityValidity({ now, ttlSeconds: 1e9, signer: { notBefore: now - 500, notAfter: now + 9_500 } })).toEqual({ notBefore: 1_800_000_000_000, notAfter: 1_800_000_010_000 });
  });
});
