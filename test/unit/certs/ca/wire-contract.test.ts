import "reflect-metadata";
import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BasicConstraintsExtension, SubjectAlternativeNameExtension } from "@peculiar/x509";
import { createEcKey, foreignRequest, requestOf, rsa } from "../x509/requests.ts";
import { ask, runCa, workloadOf, type Answered, type RunningCa } from "../running-ca.ts";

let ca: RunningCa;
beforeEach(async () => {
  ca = await runCa();
});
afterEach(() => ca.stop());

function issue(token: string | undefined, body: unknown = { csr: requestOf(createEcKey()) }): Promise<Answered> {
  const headers = { "content-type": "application/json", ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  return ask(ca, { method: "POST", path: "/v1/certificates", headers, body: typeof body === "string" ? body : JSON.stringify(body) });
}

function settings(headers: Readonly<Record<string, string>> = {}): Promise<Answered> {
  return ask(ca, { path: "/v1/workload", headers: { authorization: `Bearer ${ca.token()}`, ...headers } });
}

describe("POST /v1/certificates", () => {
  it("issues a leaf of the pod's identity and names for the key of the request", async () => {
    const key = createEcKey();

    const answer = await issue(ca.token(), { csr: requestOf(key) });

    expect(answer.status).toBe(200);
    const issued = JSON.parse(answer.text);
    expect(Object.keys(issued).sort()).toEqual(["certificateChain", "expiresAt", "renewAt", "trustBundle"]);
    const leaf = new X509Certificate(issued.certificateChain);
    expect(leaf.subjectAltName).toBe("URI:spiffe://weft.local/ns/bookstore/sa/web, DNS:web.example.com");
    expect(leaf.checkPrivateKey(key.privateKey)).toBe(true);
    expect(issued.trustBundle).toBe(ca.authority.trustBundle());
    expect(Date.parse(issued.expiresAt)).toBe(leaf.validToDate.getTime());
  });

  it("takes nothing from the request but the key", async () => {
    const extensions = [new BasicConstraintsExtension(true, 1, true), new SubjectAlternativeNameExtension([{ type: "url", value: "spiffe://weft.local/ns/other/sa/admin" }, { type: "dns", value: "*.example.com" }])];

    const answer = await issue(ca.token(), { csr: await foreignRequest({ algorithm: { name: "ECDSA", namedCurve: "P-256" }, name: "CN=admin", extensions }) });

    const leaf = new X509Certificate(JSON.parse(answer.text).certificateChain);
    expect(leaf.subjectAltName).toBe("URI:spiffe://weft.local/ns/bookstore/sa/web, DNS:web.example.com");
    expect([leaf.ca, leaf.subject]).toEqual([false, undefined]);
  });

  it("shortens a lifetime as wished, and never lengthens it", async () => {
    const short = JSON.parse((await issue(ca.token(), { csr: requestOf(createEcKey()), ttlSeconds: 60 })).text);
    const long = JSON.parse((await issue(ca.token(), { csr: requestOf(createEcKey()), ttlSeconds: 1_000_000_000 })).text);

    expect(Date.parse(short.expiresAt) - Date.now()).toBeLessThanOrEqual(60_000);
    expect(Date.parse(long.expiresAt) - Date.now()).toBeLessThanOrEqual(3_600_000);
  });

  it("tells nobody why they are not known", async () => {
    const bad = [undefined, "", "a.b.c", ca.token("web-1", { audience: "vault" }), ca.token("web-1", { expiresInSeconds: -1 })];

    const answers = await Promise.all(bad.map((token) => issue(token)));

    for (const answer of answers) {
      expect(answer.status).toBe(401);
      expect(answer.headers["www-authenticate"]).toBe("Bearer");
      expect(answer.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
      expect(JSON.parse(answer.text)).toEqual({ type: "about:blank", title: "Unauthorized", status: 401, code: "unauthenticated", detail: "A bearer token of a pod, made for this audience, is needed." });
    }
  });

  it("refuses a body of the unknown unread", async () => {
    expect((await issue(undefined, "{")).status).toBe(401);
  });

  it.each([
    { what: "a pod that does not exist", pod: "db-9", detail: "Pod bookstore/db-9 is not known to the mesh (yet)." },
    { what: "another pod of that name", pod: "web-1", change: { podUid: "uid-of-the-one-before" }, detail: "Pod bookstore/web-1 is another one than the token was made for." },
    { what: "another service account", pod: "web-1", change: { serviceAccount: "admin" }, detail: "Pod bookstore/web-1 is another one than the token was made for." },
  ])("refuses $what", async ({ pod, change, detail }) => {
    const answer = await issue(ca.token(pod, change));

    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.text)).toMatchObject({ status: 403, code: "pod-unknown", detail });
  });

  it.each([
    { what: "no JSON", body: "{", code: "request-invalid" },
    { what: "no object", body: "[]", code: "request-invalid" },
    { what: "no CSR", body: { ttlSeconds: 5 }, code: "request-invalid" },
    { what: "an unknown field", body: { csr: "x", subject: "CN=me" }, code: "request-invalid" },
    { what: "a text for a number", body: { csr: "x", ttlSeconds: "60" }, code: "request-invalid" },
    { what: "a CSR that is none", body: { csr: "x" }, code: "csr-refused" },
    { what: "a CSR of 17 KiB", body: { csr: "x".repeat(17_000) }, code: "request-invalid" },
  ])("refuses $what and lives", async ({ body, code }) => {
    const answer = await issue(ca.token(), body);

    expect(JSON.parse(answer.text)).toMatchObject({ status: 400, code });
    expect((await issue(ca.token())).status).toBe(200);
  });

  it("refuses a body of 10 MB without reading it to the end", async () => {
    const outcome = await issue(ca.token(), { csr: "x".repeat(10_000_000) }).then((answer) => answer.status, (error: Error) => error.message);

    // The connection may be closed before the sender has finished, and the answer then be lost.
    expect([413, "write EPIPE", "read ECONNRESET", "write ECONNRESET", "socket hang up"]).toContain(outcome);
    expect((await issue(ca.token())).status).toBe(200);
  });

  it("refuses a weak key", async () => {
    const answer = await issue(ca.token(), { csr: await foreignRequest({ algorithm: rsa(1024) }) });

    expect(JSON.parse(answer.text)).toMatchObject({ status: 400, code: "csr-refused", detail: "The RSA key does not have 2048 to 8192 bits." });
  });

  it("limits one pod and not the others", async () => {
    ca.workloads.set("bookstore/web-2", workloadOf("bookstore/web-2"));

    const answers = await Promise.all(Array.from({ length: 14 }, () => issue(ca.token())));
    const other = await issue(ca.token("web-2"));

    const statuses = answers.map((answer) => answer.status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(10);
    const limited = answers.find((answer) => answer.status === 429);
    expect(Number(limited?.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect(JSON.parse(limited?.text ?? "{}")).toMatchObject({ status: 429, code: "too-many-requests" });
    expect(other.status).toBe(200);
  });

  it("says that it cannot tell when tokens cannot be checked", async () => {
    await ca.stop();
    ca = await runCa({ authenticate: () => Promise.reject(new Error("the API server is away")) });

    const answer = await issue("a.b.c");

    expect(answer.status).toBe(503);
    expect(answer.headers["retry-after"]).toBe("5");
    expect(answer.text).not.toContain("API server");
  });

  it("has only so many tokens checked at a time", async () => {
    await ca.stop();
    const unknown = Promise.withResolvers<undefined>();
    let checked = 0;
    ca = await runCa({ authenticate: () => (checked++, unknown.promise) });

    const held = Array.from({ length: 200 }, () => issue("a.b.c"));
    await expect.poll(() => checked).toBe(200);
    const refused = await issue("a.b.c");
    unknown.resolve(undefined);

    expect([refused.status, refused.headers["retry-after"]]).toEqual([503, "1"]);
    expect((await Promise.all(held)).every(({ status }) => status === 401)).toBe(true);
    expect((await issue("a.b.c")).status).toBe(401);
  });

  it("charges a pod for nobody who bears its name's old token", async () => {
    const old = ca.token("web-1", { podUid: "uid-of-web-1" });
    ca.workloads.set("bookstore/web-1", workloadOf("bookstore/web-1", { uid: "another" }));
    for (let count = 0; count < 20; count++) expect((await issue(old)).status).toBe(403);

    expect((await issue(ca.token())).status).toBe(200);
  });

  it("knows no other address", async () => {
    expect(JSON.parse((await ask(ca, { path: "/" })).text)).toMatchObject({ status: 404, code: "not-found" });
  });
});

describe("GET /v1/trust-bundle", () => {
  it("gives the roots to anybody", async () => {
    const answer = await ask(ca, { path: "/v1/trust-bundle" });

    expect([answer.status, answer.text]).toEqual([200, ca.authority.trustBundle()]);
  });
});

describe("GET /v1/workload", () => {
  it("answers with settings and their ETag, and 304 while they are the same", async () => {
    const first = await settings();
    const second = await settings({ "if-none-match": String(first.headers.etag) });

    expect(JSON.parse(first.text)).toEqual({ metricLabels: { app: "web" }, subjectNames: ["web.example.com"] });
    expect([second.status, second.text]).toEqual([304, ""]);
  });

  it("waits for a change of this workload, not of another", async () => {
    const etag = String((await settings()).headers.etag);
    let isAnswered = false;

    const waiting = settings({ "if-none-match": etag, prefer: "wait=20" }).finally(() => (isAnswered = true));
    await settings();
    ca.changed();
    await settings();
    expect(isAnswered).toBe(false);
    ca.settings.set("bookstore/web-1", { metricLabels: { app: "new" }, subjectNames: [] });
    ca.changed();
    const answer = await waiting;

    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text).metricLabels).toEqual({ app: "new" });
  });

  it("answers 304 when the wait is over", async () => {
    const etag = String((await settings()).headers.etag);

    expect((await settings({ "if-none-match": etag, prefer: "wait=1" })).status).toBe(304);
  });

  it("lets the oldest of a pod's waits give way to a fifth", async () => {
    const etag = String((await settings()).headers.etag);
    const answered: string[] = [];
    const waiting: Promise<unknown>[] = [];
    for (const name of ["1", "2", "3", "4", "5"]) {
      waiting.push(settings({ "if-none-match": etag, prefer: "wait=20" }).then(({ status }) => answered.push(`${name}: ${status}`)));
      await settings();
    }

    await expect.poll(() => answered).toEqual(["1: 304"]);
    ca.settings.set("bookstore/web-1", { metricLabels: {}, subjectNames: [] });
    ca.changed();
    await Promise.all(waiting);
    expect(answered.slice(1).sort()).toEqual(["2: 200", "3: 200", "4: 200", "5: 200"]);
  });

  it("answers 403 as soon as the pod is gone, also when another of its name came", async () => {
    const etag = String((await settings()).headers.etag);

    const waiting = settings({ "if-none-match": etag, prefer: "wait=20" });
    await settings();
    ca.workloads.set("bookstore/web-1", workloadOf("bookstore/web-1", { uid: "another" }));
    ca.changed();

    expect((await waiting).status).toBe(403);
  });

  it("does not hold up the end", async () => {
    const etag = String((await settings()).headers.etag);

    const waiting = settings({ "if-none-match": etag, prefer: "wait=60" }).catch(() => "cut off");
    await settings();
    await ca.stop();

    expect(await waiting).toBeDefined();
  });
});

describe("the CA's own certificate", () => {
  function servedCertificate(): Promise<X509Certificate> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(ca.address);
      const socket = connect({ host: hostname, port: Number(port), ca: ca.authority.trustBundle() }, () => {
        resolve(new X509Certificate(socket.getPeerCertificate().raw));
        socket.destroy();
      });
      socket.on("error", reject);
    });
  }

  it("is renewed while it serves", async () => {
    await ca.stop();
    ca = await runCa({ servingTtlSeconds: 3 });
    const first = await servedCertificate();

    await vi.waitFor(async () => expect((await servedCertificate()).serialNumber).not.toBe(first.serialNumber), { timeout: 5000, interval: 100 });

    expect(first.subjectAltName).toBe("DNS:weft-controller.weft-system.svc, IP Address:127.0.0.1");
  });
});
