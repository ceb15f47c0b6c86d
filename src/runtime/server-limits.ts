/**
 * What a client of an open port may hold: for `createServer` of node:http and node:https. Node looks at its timeouts only
 * twice a minute by default, so that a request could come in slowly for three times as long as it may.
 */
export const httpLimits = {
  /** From the connection, or the end of the request before, to the last byte of the request. */
  requestTimeout: 10_000,
  headersTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
} as const;

/** For TLS: two minutes by default. */
export const handshakeTimeout = 10_000;
