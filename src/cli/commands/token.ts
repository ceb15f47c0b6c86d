import { join } from "node:path";
import { InvalidArgumentError, Option } from "commander";
import { createDirectoryStore } from "../../../certs/ca/directory-store.ts";
import { openEmbeddedTokens } from "../../../certs/ca/embedded-tokens.ts";
import { parseDuration } from "../../std/duration.ts";
import { tokenAudience } from "../../std/well-known.ts";
import { readPodName } from "../flags.ts";
import { createProgram, exitCodes, parseArguments } from "../program.ts";

interface Flags {
  readonly state: string;
  readonly pod: string;
  readonly audience: string;
  /** Seconds. */
  readonly expiresIn: number;
}

/** `weft token`: prints a token by which the control plane on files knows a pod. */
export async function run(args: readonly string[]): Promise<number> {
  const program = createProgram("token", "Print a pod's token, for a control plane on files: what a cluster would project into the pod.", "weft token --state .weft --pod bookstore/web-1 > token")
    .requiredOption("--state <dir>", "the state directory of `weft run`")
    .requiredOption("--pod <namespace/pod>", "whom the token speaks for", readPodName)
    .option("--audience <name>", "for whom it is made", tokenAudience)
    .addOption(new Option("--expires-in <duration>", "how long it holds: 90s, 15m, 1h").argParser(readExpiry).default(3600, "1h"));
  const ended = parseArguments(program, args);
  if (ended !== undefined) return ended;
  const flags = program.opts<Flags>();
  const [namespace = "", pod = ""] = flags.pod.split("/");
  const tokens = await openEmbeddedTokens(createDirectoryStore(join(flags.state, "tokens")), Date.now);
  process.stdout.write(`${tokens.mint({ namespace, pod, audience: flags.audience, expiresInSeconds: flags.expiresIn })}\n`);
  return exitCodes.done;
}

function readExpiry(value: string): number {
  const milliseconds = parseDuration(value) ?? 0;
  if (milliseconds < 1000) throw new InvalidArgumentError("A duration is a number with s, m or h, such as 90s, 15m or 1h.");
  return milliseconds / 1000;
}
