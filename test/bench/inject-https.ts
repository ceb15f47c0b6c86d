/** Requests a second over HTTPS with 16 connections, and the server's own CPU time a request, webhook beside floor. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { createInterface } from "node:readline";
import { resultOf, type Result } from "./ratio.ts";

const rounds = 7;
const connections = 16;
const perRound = 3_000;

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
  readonly agent: Agent;
}

/** Server on core 0, this process on core 1, where there are two. */
async function start(kind: "webhook" | "floor"): Promise<Server> {
  const script = new URL("inject-server.ts", import.meta.url).pathname;
  const child = spawn("taskset", ["-c", "0", process.execPath, script, kind], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const [port = "", ca = ""] = line.split(" ");
  return { child, port: Number(port), agent: new Agent({ ca: Buffer.from(ca, "base64").toString(), keepAlive: true, maxSockets: connections }) };
}

/** User and system time of a process so far, in microseconds (a clock tick is 10 ms). */
function cpuTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

function post({ agent, port }: Server, body: Buffer): Promise<number> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": body.length };
    const call = request({ agent, port, host: "127.0.0.1", path: "/mutate?timeout=5s", method: "POST", headers }, (response) => {
      response.resume().on("end", () => (response.statusCode === 200 ? resolve(performance.now() - started) : reject(new Error(`status ${String(response.statusCode)}`))));
    });
    call.on("error", reject).end(body);
  });
}

interface Round {
  /** Requests that one core of the server is good for, a second. */
  readonly capacity: number;
  readonly p99: number;
}

async function round(server: Server, body: Buffer): Promise<Round> {
  const pid = server.child.pid ?? 0;
  const before = cpuTime(pid);
  const times: number[] = [];
  async function worker(): Promise<void> {
    while (times.length < perRound) times.push(await post(server, body));
  }
  await Promise.all(Array.from({ length: connections }, worker));
  const sorted = times.toSorted((a, b) => a - b);
  return { capacity: (times.length * 1e6) / (cpuTime(pid) - before), p99: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN };
}

export async function measureHttps(bodies: readonly Buffer[]): Promise<Result[]> {
  spawnSync("taskset", ["-cp", "1", String(process.pid)], { stdio: "ignore" });
  const [webhook, floor] = [await start("webhook"), await start("floor")];
  const results: Result[] = [];
  for (const body of bodies) {
    const pairs: (readonly [Round, Round])[] = [];
    for (let i = 0; i < rounds + 1; i += 1) pairs.push([await round(webhook, body), await round(floor, body)]);
    const measured = pairs.slice(1);
    const size = `${(body.length / 1000).toFixed(1)} KB`;
    results.push(resultOf(`HTTPS, ${size}: requests a second of server CPU`, "1/s", measured.map(([ours, theirs]) => [ours.capacity, theirs.capacity])));
    results.push(resultOf(`HTTPS, ${size}: p99 at ${connections} connections`, "ms", measured.map(([ours, theirs]) => [ours.p99, theirs.p99])));
  }
  for (const { child, agent } of [webhook, floor]) {
    agent.destroy();
    child.stdin?.end();
    await once(child, "exit");
  }
  return results;
}
