import { X509Certificate } from "node:crypto";
import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openServingPki, startServingPki, type ServingPkiHandle } from "../../../../certs/serving/start.ts";
import { createMemoryStore } from "../ca/memory-store.ts";
import { silent } from "../running-ca.ts";

const start = Date.parse("2026-11-21T12:00:00Z");
const day = 86_400_000;
const names = { dnsNames: ["weft-webhook.weft-system.svc"], ips: ["127.0.0.1", "::1"] };

let handle: ServingPkiHandle | undefined;
afterEach(() => handle?.stop());

function certificatesOf(pem: string): X509Certificate[] {
  return (pem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []).map((block) => new X509Certificate(block));
}

function isTrusted(certificate: string, caBundle: string): boolean {
  return certificatesOf(caBundle).some((ca) => new X509Certificate(certificate).checkIssued(ca) && new X509Certificate(certificate).verify(ca.publicKey));
}

describe("the webhook's own PKI", () => {
  it("makes an authority and a certificate for the names", async () => {
    const pki = await openServingPki(createMemoryStore(), { ...names, now: () => start });

    const leaf = new X509Certificate(pki.current().certificateChain);
    expect(leaf.subjectAltName).toBe("DNS:weft-webhook.weft-system.svc, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
    expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect([leaf.ca, leaf.publicKey.asymmetricKeyType, leaf.publicKey.asymmetricKeyDetails?.modulusLength]).toEqual([false, "rsa", 2048]);
    expect(leaf.validToDate.toISOString()).toBe("2026-12-21T12:00:00.000Z");
    expect(isTrusted(pki.current().certificateChain, pki.current().caBundle)).toBe(true);
    expect(certificatesOf(pki.current().caBundle).map((ca) => ca.ca)).toEqual([true]);
  });

  it("is the same for replicas that start at once, and after a restart", async () => {
    const store = createMemoryStore();

    const replicas = await Promise.all([1, 2].map(() => openServingPki(store, { ...names, now: () => start })));
    const later = await openServingPki(store, { ...names, now: () => start + day });

    expect(replicas[0]?.current()).toEqual(replicas[1]?.current());
    expect(later.current()).toEqual(replicas[0]?.current());
  });

  it("renews the certificate past two thirds of its life, and tells", async () => {
    let now = start;
    const pki = await openServingPki(createMemoryStore(), { ...names, now: () => now });
    const first = pki.current();
    const told: string[] = [];
    pki.onChange((material) => told.push(material.certificateChain));

    now = start + 19 * day;
    await pki.refresh();
    expect(told).toEqual([]);
    now = start + 21 * day;
    await pki.refresh();

    expect(told).toEqual([pki.current().certificateChain]);
    expect(pki.current().certificateChain).not.toBe(first.certificateChain);
    expect(pki.current().caBundle).toBe(first.caBundle);
  });

  it("issues another one when it is called by another name", async () => {
    const store = createMemoryStore();
    await openServingPki(store, { ...names, now: () => start });

    const pki = await openServingPki(store, { dnsNames: ["other.weft-system.svc"], ips: [], now: () => start });

    expect(new X509Certificate(pki.current().certificateChain).subjectAltName).toBe("DNS:other.weft-system.svc");
  });

  it("changes its authority with the old and the new one trusted together", async () => {
    let now = start;
    const pki = await openServingPki(createMemoryStore(), { ...names, now: () => now });
    const old = pki.current().caBundle;

    now = start + 250 * day;
    await pki.refresh();
    const announced = pki.current();
    now += 2 * day;
    await pki.refresh();
    const changed = pki.current();
    now = start + 366 * day;
    await pki.refresh();

    expect(certificatesOf(announced.caBundle)).toHaveLength(2);
    expect(isTrusted(announced.certificateChain, old)).toBe(true);
    expect(isTrusted(changed.certificateChain, old)).toBe(false);
    expect(isTrusted(changed.certificateChain, announced.caBundle)).toBe(true);
    expect(certificatesOf(pki.current().caBundle)).toHaveLength(1);
    expect(isTrusted(pki.current().certificateChain, pki.current().caBundle)).toBe(true);
  });

  it("starts anew by itself after years of rest", async () => {
    const store = createMemoryStore();
    await openServingPki(store, { ...names, now: () => start });

    const pki = await openServingPki(store, { ...names, now: () => start + 3000 * day });

    expect(isTrusted(pki.current().certificateChain, pki.current().caBundle)).toBe(true);
    expect(new X509Certificate(pki.current().certificateChain).validToDate.getTime()).toBeGreaterThan(start + 3000 * day);
  });

  it.each([
    ["tls.key", "junk", "The webhook's tls.key cannot be used: it is not a private key in PEM"],
    ["ca.crt", "", "The webhook's ca.crt cannot be used: it is not an X.509 certificate in PEM"],
  ])("says that %s is broken", async (entry, value, message) => {
    const store = createMemoryStore();
    await openServingPki(store, { ...names, now: () => start });

    const opened = openServingPki(createMemoryStore({ ...(await store.read()), [entry]: value }), { ...names, now: () => start });

    await expect(opened).rejects.toThrow(message);
  });

  it("serves HTTPS, and a new certificate without a restart", async () => {
    let now = Date.now() - 21 * day;
    handle = await startServingPki(createMemoryStore(), { ...names, logger: silent, now: () => now, refreshSeconds: 0.05 });
    const pki = handle;
    const server = createServer({ key: pki.current().key, cert: pki.current().certificateChain }, (_request, response) => response.end("ok"));
    pki.onChange(({ key, certificateChain }) => server.setSecureContext({ key, cert: certificateChain }));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    function serial(): Promise<string> {
      return new Promise((resolve, reject) => {
        const sent = request({ host: "127.0.0.1", port, ca: pki.current().caBundle, agent: false }, (response) => {
          const socket = response.socket as TLSSocket;
          resolve(new X509Certificate(socket.getPeerCertificate().raw).serialNumber);
          response.resume();
        });
        sent.on("error", reject).end();
      });
    }

    const first = await serial();
    now += 21 * day;
    await vi.waitFor(async () => expect(await serial()).not.toBe(first), { timeout: 10_000, interval: 50 });

    await new Promise((resolve) => server.close(resolve));
  });
});
