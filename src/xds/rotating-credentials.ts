import type { SecureContextOptions } from "node:tls";
import { ServerCredentials } from "@grpc/grpc-js";

/** Something that is replaced while the process runs. */
export interface Rotating<T> {
  current(): T;
  /** Called after each replacement; returns what ends it. */
  onChange(listener: () => void): () => void;
}

/** PEM, the chain leaf first. */
export interface ServerIdentity {
  readonly certificateChain: string;
  readonly privateKey: string;
}

/**
 * mTLS: a client certificate that chains to the trust bundle is required. A change of either side holds for the next
 * handshake; streams that are open go on (grpc-js calls `setSecureContext` of the http2 server).
 */
export class RotatingCredentials extends ServerCredentials {
  readonly #identity: Rotating<ServerIdentity>;
  readonly #trustBundle: Rotating<string>;

  constructor(identity: Rotating<ServerIdentity>, trustBundle: Rotating<string>) {
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

function contextOf(identity: ServerIdentity, trustBundle: string): SecureContextOptions {
  return { cert: identity.certificateChain, key: identity.privateKey, ca: trustBundle, minVersion: "TLSv1.2" };
}
