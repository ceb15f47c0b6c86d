/**
 * The small services of the demo and of the e2e test, as the text of a Node program, so that a pod needs no image of
 * its own: `node -e APP NAME PORT`.
 *
 * `GET /` answers its name. `GET /call?url=URL&times=N` calls URL N times from inside the pod, at the address `at` when
 * one is given, and answers how often each body or failure came back, as JSON. `GET /headers` answers the request's headers.
 */
export const appSource = `
const http = require("node:http");
const [name, port] = process.argv.slice(1);
const once = (target, at) => new Promise((resolve) => {
  const options = { host: at || target.hostname, port: target.port || 80, path: target.pathname, headers: { host: target.host }, timeout: 5000, agent: false };
  const request = http.get(options, (response) => {
    let body = "";
    response.on("data", (chunk) => (body += chunk));
    response.on("end", () => resolve(response.statusCode === 200 ? body.trim() : "status " + response.statusCode));
  });
  request.on("timeout", () => request.destroy(new Error("timeout")));
  request.on("error", (error) => resolve("refused: " + (error.code || error.message)));
});
const server = http.createServer(async (request, response) => {
  const url = new URL(request.url, "http://app");
  if (url.pathname === "/headers") return response.end(JSON.stringify(request.headers));
  if (url.pathname !== "/call") return response.end(name + "\\n");
  const counts = {};
  const target = new URL(url.searchParams.get("url"));
  for (let i = 0; i < Number(url.searchParams.get("times") || 1); i += 1) {
    const answer = await once(target, url.searchParams.get("at"));
    counts[answer] = (counts[answer] || 0) + 1;
  }
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(counts));
});
server.keepAliveTimeout = 60000;
server.listen(Number(port), "0.0.0.0");
process.on("SIGTERM", () => process.exit(0));
`;
