import { experimental, type ServerCredentials } from "@grpc/grpc-js";

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

type IdentityListener = Parameters<experimental.CertificateProvider["addIdentityCertificateListener"]>[0];
type CaListener = Parameters<experimental.CertificateProvider["addCaCertificateListener"]>[0];

/**
 * mTLS: a client certificate that chains to the trust bundle is required. A change of either side holds for the next
 * handshake; streams that are open go on (grpc-js calls `setSecureContext` of the http2 server).
 */
export function rotatingCredentials(identity: Rotating<ServerIdentity>, trustBundle: Rotating<string>): ServerCredentials {
  const provider = { ...identityListeners(identity), ...caListeners(trustBundle) };
  // One object for both: the parameters' order differs between grpc-js' types and its code.
  return experimental.createCertificateProviderServerCredentials(provider, provider, true);
}

function identityListeners(identity: Rotating<ServerIdentity>) {
  const ends = new Map<IdentityListener, () => void>();
  function tell(listener: IdentityListener): void {
    const { certificateChain, privateKey } = identity.current();
    listener({ certificate: Buffer.from(certificateChain), privateKey: Buffer.from(privateKey) });
  }
  return {
    addIdentityCertificateListener(listener: IdentityListener): void {
      ends.set(listener, identity.onChange(() => tell(listener)));
      tell(listener);
    },
    removeIdentityCertificateListener(listener: IdentityListener): void {
      ends.get(listener)?.();
      ends.delete(listener);
    },
  };
}

function caListeners(trustBundle: Rotating<string>) {
  const ends = new Map<CaListener, () => void>();
  function tell(listener: CaListener): void {
    listener({ caCertificate: Buffer.from(trustBundle.current()) });
  }
  return {
    addCaCertificateListener(listener: CaListener): void {
      ends.set(listener, trustBundle.onChange(() => tell(listener)));
      tell(listener);
    },
    removeCaCertificateListener(listener: CaListener): void {
      ends.get(listener)?.();
      ends.delete(listener);
    },
  };
}
