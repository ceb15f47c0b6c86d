import type { IncomingMessage } from "node:http";

/** One line of a watch. */
export interface WatchEvent {
  readonly type: string;
  readonly object: Readonly<Record<string, unknown>>;
}

/**
 * The events of a watch as they come; ends when the server ends the stream.
 * @throws Error when the stream breaks, or a line is no event.
 */
export async function* readWatch(stream: IncomingMessage): AsyncGenerator<readonly WatchEvent[]> {
  stream.setEncoding("utf8");
  let rest = "";
  // Chunks, not lines: what came together is handed on together, and costs one turn of the loop.
  for await (const chunk of stream as AsyncIterable<string>) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    const events = lines.filter((line) => line.trim() !== "").map(parseEvent);
    if (events.length > 0) yield events;
  }
}

function parseEvent(line: string): WatchEvent {
  const event: unknown = JSON.parse(line);
  if (typeof event === "object" && event !== null && "type" in event && "object" in event) {
    const { type, object } = event;
    if (typeof type === "string" && typeof object === "object" && object !== null) return { type, object: object as Readonly<Record<string, unknown>> };
  }
  throw new Error("the API server sent a line that is no watch event");
}
