/** Fetches every real component before the tests start, so that no test's time limit covers a download or a build. */
import { findTool, type ToolName } from "../../src/runtime/tools.ts";

const names: readonly ToolName[] = ["envoy", "promtool", "ip", "iptables", "helm", "etcd", "kube-apiserver"];
for (const name of names) {
  const path = await findTool(name);
  process.stdout.write(`${name.padEnd(15)} ${path}\n`);
}
