import type { IncomingMessage } from "node:http";
import { countValues } from "./json-size.ts";

/** Of one body. The API server takes requests of 3 MiB, which JSON may double. */
export const bodyLimit = 8 * 1024 * 1024;
/** Of all that come in at a time; anybody in the cluster may send some. */
const allBodies = 48 * 1024 * 1024;
/** What a body of 3 MiB can hold at most; a million empty lists fit into a few of JSON and take a hundred of memory. */
const maxValues = 400_000;
/** Below, there is nothing to count: the values are too few. */
const smallBody = 1024 * 1024;

/** Why a body is not read, with the HTTP status that tells it. */
export class BodyError extends Error {
  override readonly name = "BodyError";
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** Reads request bodies into text, with what they hold together bounded. */
export class BodyReader {
  readonly #held = new Map<IncomingMessage, number>();
  #sum = 0;

  /** Rejects with a BodyError; what is left of the body is not kept. Call `release` when the request is answered. */
  read(body: IncomingMessage): Promise<string> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      const onData = (chunk: Buffer): void => {
        const refusal = this.#take(body, chunk.length);
        if (refusal === undefined) return void chunks.push(chunk);
        body.off("data", onData).resume();
        reject(refusal);
      };
      body.on("data", onData);
      body.once("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
      body.once("error", reject);
    });
  }

  release(body: IncomingMessage): void {
    this.#sum -= this.#held.get(body) ?? 0;
    this.#held.delete(body);
  }

  #take(body: IncomingMessage, length: number): BodyError | undefined {
    const held = (this.#held.get(body) ?? 0) + length;
    if (held > bodyLimit) return new BodyError(413, `the body is larger than ${bodyLimit} bytes`);
    if (this.#sum + length > allBodies) return new BodyError(503, "too many large requests come in at a time; try again");
    this.#held.set(body, held);
    this.#sum += length;
    return undefined;
  }
}

/** JSON of a size that can be afforded. @throws BodyError for any other text. */
export function parseJson(text: string): unknown {
  if (text.length > smallBody && countValues(text) > maxValues) throw new BodyError(413, `the body holds more than ${maxValues} values`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BodyError(400, `the body is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
