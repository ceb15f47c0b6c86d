/**
 * The small services of the demo and of the e2e test, as the text of a Node program, so that a pod needs no image of
 * its own: `node -e APP NAME PORT`.
 *
 * `GET /` answers its name. `GET /call?url=URL&times=N` calls URL N times from inside the pod and answers how often
 * each body or failure came back, as JSON. `GET /headers` answers the request's headers.
 */
export const appSource = `
const http = require("node:http");
const [name, port] = process.argv.slice(1);
const once = (url) => new Promise((resolve) => {
  const target = new URL(url);
  const [host, address = host] = target.hostname.split("--at--");
  const options = { host: address, port: target.port || 80, path: target.pathname, headers: { host }, timeout: 5000, agent: false };
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
  for (let i = 0; i < Number(url.searchParams.get("times") || 1); i += 1) {
    const answer = await once(url.searchParams.get("url"));
    counts[answer] = (counts[answer] || 0) + 1;
  }
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(counts));
});
server.keepAliveTimeout = 60000;
server.listen(Number(port), "0.0.0.0");
process.on("SIGTERM", () => process.exit(0));
`;
