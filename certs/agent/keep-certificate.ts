import type { AgentLogger } from "./agent-logger.ts";
import { CaError, type CaClient } from "./ca-client.ts";
import { writeCertificate } from "./certificate-files.ts";
import { obtainCertificate, type Obtained } from "./obtain.ts";
import { backOff, Pause } from "./pause.ts";

export interface KeepOptions {
  readonly ca: CaClient;
  /** The run directory. */
  readonly directory: string;
  readonly logger: AgentLogger;
  readonly signal: AbortSignal;
}

/** The pod's certificate: obtained, renewed, and on disk. Failures are logged and tried again for ever; the last good one stays. */
export class CertificateKeeper {
  readonly #options: KeepOptions;
  readonly #pause = new Pause();
  #current: Obtained | undefined;
  #wanted: readonly string[] | undefined;

  constructor(options: KeepOptions) {
    this.#options = options;
  }

  /** A certificate is on disk, and it has not expired. */
  isReady(): boolean {
    return this.#current !== undefined && Date.now() < this.#current.expiresAt;
  }

  /** The names a certificate would carry now; other ones than the present's are a reason to renew. */
  want(dnsNames: readonly string[]): void {
    this.#wanted = [...dnsNames].sort();
    this.#pause.wake();
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      const failure = await this.#renew();
      failures = failure === undefined ? 0 : failures + 1;
      await this.#rest(failure, failures);
    }
  }

  async #renew(): Promise<unknown> {
    const { ca, directory, logger, signal } = this.#options;
    try {
      const obtained = await obtainCertificate(ca, signal);
      await writeCertificate(directory, obtained.files);
      this.#current = obtained;
      const { identity, dnsNames, expiresAt, renewAt } = obtained;
      logger.info({ identity, dnsNames, expiresAt: new Date(expiresAt).toISOString(), renewAt: new Date(renewAt).toISOString() }, "certificate on disk");
      return undefined;
    } catch (err) {
      if (!signal.aborted) logger.warn({ err, hasCertificate: this.isReady() }, "no new certificate");
      return err ?? new Error("failed without a reason");
    }
  }

  /** Until the certificate is due or other names are wanted; after a failure, until the back-off or the CA's own wish has passed. */
  async #rest(failure: unknown, failures: number): Promise<void> {
    const { signal } = this.#options;
    if (failure === undefined) {
      const renewAt = this.#current?.renewAt ?? 0;
      do await this.#pause.until(renewAt, signal);
      while (!signal.aborted && Date.now() < renewAt && this.#hasWantedNames());
      return;
    }
    const asked = failure instanceof CaError ? (failure.retryAfterSeconds ?? 0) * 1000 : 0;
    await new Pause().until(Date.now() + asked + backOff(failures, Math.random()), signal);
  }

  #hasWantedNames(): boolean {
    return this.#current === undefined || this.#wanted === undefined || this.#wanted.join() === this.#current.dnsNames.join();
  }
}
