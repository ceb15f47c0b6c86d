import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { openAuthority, type Authority } from "../../../../certs/ca/authority.ts";
import { createKeyPair } from "../../../../certs/ca/signing-key.ts";
import { parseBundle } from "../../../../certs/x509/pem.ts";
import { createMemoryStore } from "./memory-store.ts";

const start = Date.parse("2026-11-21T12:00:00Z");
const day = 86_400_000;
const trustDomain = "weft.local";

function bundleOf(pem: string): readonly string[] {
  const bundle = parseBundle(pem);
  if ("problem" in bundle) throw new Error(bundle.problem);
  return bundle.certificates;
}

function issue(authority: Authority, ttlSeconds = 86_400) {
  return authority.issueWorkload({ publicKey: createKeyPair().publicKey, identity: "spiffe://weft.local/ns/a/sa/b", dnsNames: ["a.example.com"], ttlSeconds });
}

/** [leaf, issuer] verified up to one of the roots. */
function verified(chain: string, roots: string): boolean {
  const [leaf, issuer] = bundleOf(chain).map((pem) => new X509Certificate(pem));
  if (leaf === undefined || issuer === undefined) return false;
  return leaf.verify(issuer.publicKey) && bundleOf(roots).some((root) => issuer.verify(new X509Certificate(root).publicKey));
}

describe("authority", () => {
  it("issues leaves below an issuer below a root of ten years", async () => {
    const authority = await openAuthority(createMemoryStore(), { trustDomain, now: () => start });

    const issued = await issue(authority, 3600);

    expect(verified(issued.certificateChain, authority.trustBundle())).toBe(true);
    expect(new Date(issued.expiresAt).toISOString()).toBe("2026-11-21T13:00:00.000Z");
    expect(issued.renewAt).toBeGreaterThanOrEqual(start + 37 * 60_000);
    expect(issued.renewAt).toBeLessThanOrEqual(start + 44 * 60_000);
    const [root] = bundleOf(authority.trustBundle());
    expect(new X509Certificate(root ?? "").validToDate.toISOString()).toBe("2036-11-18T12:00:00.000Z");
    expect(new X509Certificate(root ?? "").subject).toBe("CN=weft root weft.local");
  });

  it("clamps a huge lifetime to 24 hours and gives each leaf another serial of 128 bits", async () => {
    const authority = await openAuthority(createMemoryStore(), { trustDomain, now: () => start });

    const leaves = await Promise.all([issue(authority, 1e9), issue(authority, 1e9)]);

    const [one, two] = leaves.map((leaf) => new X509Certificate(leaf.certificateChain));
    expect((one?.validToDate.getTime() ?? 0) - (one?.validFromDate.getTime() ?? 0)).toBeLessThanOrEqual(day);
    expect(one?.serialNumber).not.toBe(two?.serialNumber);
    expect(one?.serialNumber.length).toBeGreaterThan(24);
  });

  it("is the same for replicas that start at once", async () => {
    const store = createMemoryStore();

    const replicas = await Promise.all([1, 2, 3].map(() => openAuthority(store, { trustDomain, now: () => start })));

    expect(new Set(replicas.map((replica) => replica.trustBundle())).size).toBe(1);
  });

  it("makes a new issuer past two thirds of its year, below the same root", async () => {
    let now = start;
    const store = createMemoryStore();
    const authority = await openAuthority(store, { trustDomain, now: () => now });
    const other = await openAuthority(store, { trustDomain, now: () => now });
    const roots = authority.trustBundle();
    const before = bundleOf((await issue(authority)).certificateChain)[1];

    now = start + 200 * day;
    await authority.refresh();
    const early = bundleOf((await issue(authority)).certificateChain)[1];
    now = start + 250 * day;
    await authority.refresh();
    await other.refresh();
    const late = await issue(authority);

    expect(early).toBe(before);
    expect(bundleOf(late.certificateChain)[1]).not.toBe(before);
    expect(bundleOf((await issue(other)).certificateChain)[1]).toBe(bundleOf(late.certificateChain)[1]);
    expect(authority.trustBundle()).toBe(roots);
    expect(verified(late.certificateChain, roots)).toBe(true);
  });

  it("changes its root in two steps, so that every leaf is trusted by every bundle of the week before", async () => {
    let now = start;
    const changes: number[] = [];
    const authority = await openAuthority(createMemoryStore(), { trustDomain, now: () => now });
    authority.onChange(() => changes.push(now));
    const first = authority.trustBundle();

    now = start + 2440 * day;
    await authority.refresh();
    const both = authority.trustBundle();
    const between = await issue(authority);
    now += 8 * day;
    await authority.refresh();
    const after = await issue(authority);
    now = start + 3651 * day;
    await authority.refresh();

    expect(bundleOf(first)).toHaveLength(1);
    expect(bundleOf(both)).toHaveLength(2);
    expect(verified(between.certificateChain, first)).toBe(true);
    expect(verified(after.certificateChain, first)).toBe(false);
    expect(verified(after.certificateChain, both)).toBe(true);
    expect(bundleOf(authority.trustBundle())).toHaveLength(1);
    expect(changes.length).toBeGreaterThanOrEqual(3);
  });

  it("gives back what it has to a store that was emptied", async () => {
    let store = createMemoryStore();
    const replaceable = { read: () => store.read(), create: (values: Record<string, string>) => store.create(values), write: (values: Record<string, string>) => store.write(values) };
    const authority = await openAuthority(replaceable, { trustDomain, now: () => start });

    store = createMemoryStore();
    await authority.refresh();

    expect((await store.read())?.["trust-bundle.pem"]).toBe(authority.trustBundle());
  });

  it.each([
    ["issuer.key", "garbage", "it is not an ECDSA P-256 private key in PEM"],
    ["issuer.key", createKeyPair().privateKey, "it does not belong to issuer.crt"],
    ["issuer.crt", "", "The bundle holds no certificate"],
    ["root.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "it is not an X.509 certificate"],
    ["trust-bundle.pem", "junk", "The bundle holds no certificate"],
  ])("says which entry is broken: %s", async (entry, value, why) => {
    const store = createMemoryStore();
    await openAuthority(store, { trustDomain, now: () => start });
    const broken = createMemoryStore({ ...(await store.read()), [entry]: value });

    const opened = openAuthority(broken, { trustDomain, now: () => start });

    await expect(opened).rejects.toThrow(`The authority's ${entry} cannot be used: ${why}`);
  });

  it("tolerates a byte order mark, a duplicate and comments in the trust bundle", async () => {
    const store = createMemoryStore();
    await openAuthority(store, { trustDomain, now: () => start });
    const clean = (await store.read())?.["trust-bundle.pem"] ?? "";
    const messy = createMemoryStore({ ...(await store.read()), "trust-bundle.pem": `\uFEFF# ours\r\n${clean}\r\n${clean}` });

    const authority = await openAuthority(messy, { trustDomain, now: () => start });

    expect(authority.trustBundle()).toBe(clean);
  });

  it("issues nothing from an expired issuer whose root key is kept offline", async () => {
    let now = start;
    const store = createMemoryStore();
    await openAuthority(store, { trustDomain, now: () => now });
    const { "root.key": _offline, ...rest } = (await store.read()) ?? {};
    const authority = await openAuthority(createMemoryStore(rest), { trustDomain, now: () => now });
    now = start + 366 * day;
    await authority.refresh();

    await expect(issue(authority)).rejects.toThrow("The authority's issuer has expired");
  });
});
