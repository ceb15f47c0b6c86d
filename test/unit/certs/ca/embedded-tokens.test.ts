import { beforeEach, describe, expect, it } from "vitest";
import { openEmbeddedTokens, type EmbeddedTokens } from "../../../../certs/ca/embedded-tokens.ts";
import { createMemoryStore } from "./memory-store.ts";

const start = Date.parse("2026-11-21T12:00:00Z");
const request = { namespace: "bookstore", pod: "web-1", audience: "weft-ca", expiresInSeconds: 60 };
const check = { audience: "weft-ca" };
let now = start;
let tokens: EmbeddedTokens;

beforeEach(async () => {
  now = start;
  tokens = await openEmbeddedTokens(createMemoryStore(), () => now);
});

/** The token with its claims changed and its signature kept. */
function withClaims(token: string, change: object): string {
  const [header, claims = "", signature] = token.split(".");
  const content: unknown = JSON.parse(Buffer.from(claims, "base64url").toString());
  return [header, Buffer.from(JSON.stringify({ ...(content as object), ...change })).toString("base64url"), signature].join(".");
}

describe("embedded tokens", () => {
  it("speak for the pod they were made for", async () => {
    expect(await tokens.authenticate(tokens.mint(request), check)).toEqual({ namespace: "bookstore", pod: "web-1" });
    expect(await tokens.authenticate(tokens.mint({ ...request, podUid: "u", serviceAccount: "web" }), check)).toEqual({ namespace: "bookstore", pod: "web-1", podUid: "u", serviceAccount: "web" });
  });

  it("end", async () => {
    const token = tokens.mint(request);

    now = start + 59_000;
    expect(await tokens.authenticate(token, check)).toBeDefined();
    now = start + 60_000;
    expect(await tokens.authenticate(token, check)).toBeUndefined();
  });

  it("are of another audience, another key, changed, or no tokens at all: nobody", async () => {
    const other = await openEmbeddedTokens(createMemoryStore(), () => now);
    const token = tokens.mint(request);
    const none = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url")}.${token.split(".")[1]}.`;

    const results = await Promise.all(
      [tokens.mint({ ...request, audience: "vault" }), other.mint(request), withClaims(token, { pod: "db-1" }), withClaims(token, { exp: 9e9 }), none, `${token}x`, `${token}.x`, token.slice(0, -4), "", "..", "a.b.c"].map((bad) => tokens.authenticate(bad, check)),
    );

    expect(results.filter((result) => result !== undefined)).toEqual([]);
    expect(results).toHaveLength(11);
  });

  it("are the same for whoever shares the store", async () => {
    const store = createMemoryStore();
    const [one, two] = await Promise.all([openEmbeddedTokens(store, () => now), openEmbeddedTokens(store, () => now)]);

    expect(await two.authenticate(one.mint(request), check)).toBeDefined();
  });
});
