import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import type { Tour } from "./tour.ts";

/** The lines at the address in the Monitor's status, fetched as Prometheus would: HTTPS, the mesh's roots trusted. */
export async function readMetrics(tour: Tour, monitor: string): Promise<string[]> {
  const url = await readAddress(tour, monitor);
  const roots = await readFile(tour.controlPlane.trustBundle, "utf8");
  return (await get(url, roots)).split("\n");
}

/** On files there is no API server to write a status to: `weft run` leaves it in its state directory. */
async function readAddress(tour: Tour, monitor: string): Promise<string> {
  const status = JSON.parse(await readFile(join(tour.folder, "state/status/Monitor", `${monitor}.json`), "utf8")) as { metricsServer: string };
  return status.metricsServer;
}

function get(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(url, { ca, agent: false, timeout: 10_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`${url} answered ${String(response.statusCode)}: ${body}`));
      });
      response.on("error", reject);
    });
    call.on("timeout", () => call.destroy(new Error(`${url} does not answer`)));
    call.on("error", reject);
    call.end();
  });
}
