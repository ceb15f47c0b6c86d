import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { certificateFiles } from "../../src/std/well-known.ts";

/** All PEM; `key` is a secret. */
export interface CertificateFiles {
  readonly certificateChain: string;
  readonly key: string;
  readonly trustBundle: string;
}

const prefix = "certificate-";
const current = "current";

/**
 * Puts a certificate where Envoy's file SDS finds it: a fresh directory of its own, then the symlink `certs/current`
 * swapped by rename, so that a reader sees all of one or all of another, whenever this process dies. Envoy watches
 * `certs` for moves, and reads again. The directory before stays for readers that have just resolved the link.
 */
export async function writeCertificate(directory: string, files: CertificateFiles): Promise<void> {
  const certs = join(directory, certificateFiles.directory);
  await mkdir(certs, { recursive: true, mode: 0o700 });
  const previous = await readCurrent(certs);
  const fresh = await writeFresh(certs, files);
  await pointTo(certs, fresh);
  await writeSecrets(directory);
  await removeOthers(certs, [fresh, previous]);
}

async function writeFresh(certs: string, files: CertificateFiles): Promise<string> {
  const name = `${prefix}${randomUUID()}`;
  const fresh = join(certs, name);
  try {
    await mkdir(fresh, { mode: 0o700 });
    await writeFile(join(fresh, "tls.key"), files.key, { mode: 0o400, flag: "wx" });
    await writeFile(join(fresh, "tls.crt"), files.certificateChain, { mode: 0o400, flag: "wx" });
    await writeFile(join(fresh, "ca.crt"), files.trustBundle, { mode: 0o400, flag: "wx" });
    return name;
  } catch (error) {
    // Half a certificate (a full disk) must not stay; the one in use is untouched.
    await rm(fresh, { recursive: true, force: true });
    throw error;
  }
}

async function pointTo(certs: string, name: string): Promise<void> {
  const link = join(certs, `.${name}`);
  await symlink(name, link);
  await rename(link, join(certs, current));
}

/** The previous one's name, without its path; undefined for none. */
async function readCurrent(certs: string): Promise<string | undefined> {
  return readlink(join(certs, current)).then(basename, () => undefined);
}

async function removeOthers(certs: string, keep: readonly (string | undefined)[]): Promise<void> {
  const old = (await readdir(certs)).filter((name) => (name.startsWith(prefix) || name.startsWith(`.${prefix}`)) && !keep.includes(name));
  await Promise.all(old.map((name) => rm(join(certs, name), { recursive: true, force: true })));
}

const secretType = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";

/** The two SDS documents never change; paths are relative to the proxy's working directory, which is ours. */
async function writeSecrets(directory: string): Promise<void> {
  await writeIfChanged(
    join(directory, certificateFiles.identity),
    sdsDocument(certificateFiles.identitySecret, [
      "  tls_certificate:",
      `    certificate_chain: { filename: ${certificateFiles.directory}/${current}/tls.crt }`,
      `    private_key: { filename: ${certificateFiles.directory}/${current}/tls.key }`,
    ]),
  );
  await writeIfChanged(
    join(directory, certificateFiles.trust),
    sdsDocument(certificateFiles.trustSecret, ["  validation_context:", `    trusted_ca: { filename: ${certificateFiles.directory}/${current}/ca.crt }`]),
  );
}

/** `watched_directory` makes Envoy re-read the files as one when the symlink moves. */
function sdsDocument(name: string, body: readonly string[]): string {
  const watched = `    watched_directory: { path: ${certificateFiles.directory} }`;
  return ["resources:", `- "@type": ${secretType}`, `  name: ${name}`, ...body, watched, ""].join("\n");
}

/** Written beside and renamed over, so that nobody reads half of it; the directory is made where it is missing. */
export async function writeIfChanged(path: string, text: string): Promise<void> {
  if ((await readFile(path, "utf8").catch(() => undefined)) === text) return;
  const beside = `${path}.${randomUUID()}`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(beside, text, { mode: 0o644, flag: "wx" });
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
