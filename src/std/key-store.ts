/** Where key material is kept: a directory, or a Secret. Values are text (PEM, JSON). */
export interface KeyStore {
  /** undefined = nothing stored yet. */
  read(): Promise<Readonly<Record<string, string>> | undefined>;
  /** Stores only when nothing is there: with several replicas, one wins and the others read. */
  create(values: Readonly<Record<string, string>>): Promise<"created" | "exists">;
  /** Replaces what is there. */
  write(values: Readonly<Record<string, string>>): Promise<void>;
}
