import { pino, type Logger } from "pino";

export type { Logger } from "pino";

/** Never in a log, wherever it stands in an object. */
const secrets = ["token", "key", "privateKey", "authorization", "headers.authorization", "*.token", "*.key", "*.privateKey", "*.authorization"];

/**
 * A structured logger on stderr (documents go to stdout). `WEFT_LOG_LEVEL` of the environment sets the level, default
 * info: what an operator acts on, and one line an admission.
 */
export function createLogger(name: string, level = process.env["WEFT_LOG_LEVEL"] ?? "info"): Logger {
  return pino({ name, level, base: { name }, redact: { paths: secrets, censor: "[redacted]" } }, pino.destination({ dest: 2, sync: true }));
}
