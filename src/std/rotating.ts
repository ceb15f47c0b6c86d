/** Something that is replaced while the process runs. */
export interface Rotating<T> {
  current(): T;
  /** Called after each replacement; returns what ends it. */
  onChange(listener: () => void): () => void;
}

/** What a server proves itself by, all PEM; `key` is a secret. */
export interface TlsIdentity {
  readonly key: string;
  /** Leaf first. */
  readonly certificateChain: string;
}
