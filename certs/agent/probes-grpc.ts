import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from "node:http2";
import { connect as connectSocket } from "node:net";
import type { Asking, GrpcProbe, ProbeAnswer } from "./probes.ts";

/** grpc.health.v1.HealthCheckResponse.ServingStatus */
const servingStatus: readonly string[] = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const unimplemented = 12;
/** Flag and length in front of each gRPC message. */
const prefixLength = 5;
/** The answer takes seven bytes; what is longer is none. */
const maxAnswer = 64 * 1024;

/**
 * Asks grpc.health.v1.Health/Check over plaintext HTTP/2, as the kubelet does (pkg/probe/grpc): 200 when the answer is
 * SERVING, else 503. The two messages are so small that they are written and read here. Rejects when there is no answer.
 */
export async function askGrpc(probe: GrpcProbe, asking: Asking): Promise<ProbeAnswer> {
  const { host, localAddress, signal } = asking;
  const authority = `${host.includes(":") ? `[${host}]` : host}:${probe.port}`;
  const from = localAddress === undefined ? {} : { localAddress };
  const session = connect(`http://${authority}`, { createConnection: () => connectSocket({ host, port: probe.port, ...from }) });
  function abort(): void {
    session.destroy(new Error("no answer in time"));
  }
  signal.addEventListener("abort", abort, { once: true });
  try {
    return judge(await call(session, probe, asking));
  } finally {
    signal.removeEventListener("abort", abort);
    session.destroy();
  }
}

interface Reply {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

function call(session: ClientHttp2Session, { service }: GrpcProbe, { userAgent }: Asking): Promise<Reply> {
  return new Promise((resolve, reject) => {
    session.on("error", reject).once("close", () => reject(new Error("the connection was closed without an answer")));
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
      "user-agent": userAgent,
    });
    collect(stream).then(resolve, reject);
    stream.end(encodeRequest(service));
  });
}

/** Headers and trailers together: an error may come as either. */
function collect(stream: ClientHttp2Stream): Promise<Reply> {
  return new Promise((resolve, reject) => {
    let headers: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    let length = 0;
    stream.on("error", reject);
    stream.on("response", (received) => (headers = { ...received }));
    stream.on("trailers", (received) => (headers = { ...headers, ...received }));
    stream.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxAnswer) stream.destroy(new Error("the answer is too long for a health check"));
      else chunks.push(chunk);
    });
    stream.on("close", () => resolve({ headers, body: Buffer.concat(chunks) }));
  });
}

function judge({ headers, body }: Reply): ProbeAnswer {
  const httpStatus = headers[":status"];
  if (Number(httpStatus) !== 200) return { status: 503, body: `the server answers ${httpStatus === undefined ? "nothing" : `HTTP ${httpStatus}`}: it does not speak gRPC\n` };
  const status = Number(headers["grpc-status"] ?? Number.NaN);
  if (status === unimplemented) return { status: 503, body: "the server does not implement grpc.health.v1.Health\n" };
  if (status !== 0) return { status: 503, body: `the health check failed: grpc-status ${status}${formatMessage(headers["grpc-message"])}\n` };
  const serving = servingStatus[decodeStatus(body)] ?? "something else";
  return { status: serving === "SERVING" ? 200 : 503, body: `the service answers ${serving}\n` };
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function formatMessage(message: string | string[] | undefined): string {
  // Percent-encoded (gRPC over HTTP/2); what cannot be decoded is told as it came.
  return message === undefined ? "" : ` (${decodePercent(String(message)).slice(0, 200)})`;
}

/** `message HealthCheckRequest { string service = 1; }`; proto3 leaves an empty string out. */
function encodeRequest(service: string): Buffer {
  const text = Buffer.from(service);
  const message = text.length === 0 ? text : Buffer.concat([Buffer.from([0x0a, ...varint(text.length)]), text]);
  const prefix = Buffer.alloc(prefixLength);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

/** `message HealthCheckResponse { ServingStatus status = 1; }`; absent is 0, UNKNOWN. */
function decodeStatus(body: Buffer): number {
  const isPlain = body.length >= prefixLength && body[0] === 0;
  const message = isPlain ? body.subarray(prefixLength, prefixLength + body.readUInt32BE(1)) : Buffer.alloc(0);
  return message[0] === 0x08 ? (message[1] ?? 0) : 0;
}
