import type { SecureContextOptions } from "node:tls";
import { ServerCredentials } from "@grpc/grpc-js";
import type { Rotating, TlsIdentity } from "../std/rotating.ts";

/**
 * mTLS: a client certificate that chains to the trust bundle is required. A change of either side holds for the next
 * handshake; streams that are open go on (grpc-js calls `setSecureContext` of the http2 server).
 */
export class RotatingCredentials extends ServerCredentials {
  readonly #identity: Rotating<TlsIdentity>;
  readonly #trustBundle: Rotating<string>;

  constructor(identity: Rotating<TlsIdentity>, trustBundle: Rotating<string>) {
    super({ requestCert: true, rejectUnauthorized: true }, contextOf(identity.current(), trustBundle.current()));
    this.#identity = identity;
    this.#trustBundle = trustBundle;
  }

  /** Follows replacements until the returned function is called. */
  follow(): () => void {
    const ends = [this.#identity.onChange(() => this.#update()), this.#trustBundle.onChange(() => this.#update())];
    this.#update();
    return () => {
      for (const end of ends) end();
    };
  }

  #update(): void {
    this.updateSecureContextOptions(contextOf(this.#identity.current(), this.#trustBundle.current()));
  }

  override _equals(other: ServerCredentials): boolean {
    return other === this;
  }
}

function contextOf(identity: TlsIdentity, trustBundle: string): SecureContextOptions {
  return { cert: identity.certificateChain, key: identity.key, ca: trustBundle, minVersion: "TLSv1.2" };
}
