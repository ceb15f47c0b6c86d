import "reflect-metadata";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import type { IncomingMessage } from "node:http";
import { Pkcs10CertificateRequestGenerator } from "@peculiar/x509";
import type { TlsIdentity } from "../../src/std/rotating.ts";
import { newKeys, keyPem } from "../support/mesh-pki.ts";

/** A certificate by the CA's wire contract, as an agent asks for it. Throws what the CA answers otherwise. */
export async function obtainCertificate(ca: { readonly url: string; readonly root: string }, token: string): Promise<TlsIdentity> {
  const keys = await newKeys();
  const csr = await Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm: { name: "ECDSA", hash: "SHA-256" } });
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request(`${ca.url}/v1/certificates`, { method: "POST", ca: ca.root, headers, agent: false }, resolve).on("error", reject).end(JSON.stringify({ csr: csr.toString("pem") }));
  });
  const body = await text(answer);
  if (answer.statusCode !== 200) throw new Error(body);
  const { certificateChain } = JSON.parse(body) as { readonly certificateChain: string };
  return { certificateChain, key: await keyPem(keys) };
}
