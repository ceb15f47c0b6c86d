import { join } from "node:path";
import { createDirectoryStore } from "../../../certs/ca/directory-store.ts";
import { openEmbeddedTokens } from "../../../certs/ca/embedded-tokens.ts";
import { tokenAudience } from "../../std/well-known.ts";
import { createProgram, exitCodes, Failure, parseArguments } from "../program.ts";

interface Flags {
  readonly state: string;
  readonly pod: string;
  readonly audience: string;
  readonly expiresIn: string;
}

/** `weft token`: prints a token by which the control plane on files knows a pod. */
export async function run(args: readonly string[]): Promise<number> {
  const program = createProgram("token", "a pod's token, for a control plane on files", "weft token --state state --pod bookstore/web-1 > token")
    .requiredOption("--state <dir>", "the state directory of `weft run`")
    .requiredOption("--pod <namespace/pod>", "whom the token speaks for")
    .option("--audience <name>", "for whom it is made", tokenAudience)
    .option("--expires-in <duration>", "how long it holds: 90s, 15m, 1h", "1h");
  const ended = parseArguments(program, args);
  if (ended !== undefined) return ended;
  const flags = program.opts<Flags>();
  const [namespace, pod, ...rest] = flags.pod.split("/");
  if (!namespace || !pod || rest.length > 0) throw new Failure(`--pod must be NAMESPACE/POD, not '${flags.pod}'.`);
  const expiresInSeconds = parseDuration(flags.expiresIn);
  const tokens = await openEmbeddedTokens(createDirectoryStore(join(flags.state, "tokens")), Date.now);
  process.stdout.write(`${tokens.mint({ namespace, pod, audience: flags.audience, expiresInSeconds })}\n`);
  return exitCodes.done;
}

function parseDuration(text: string): number {
  const [, count, unit] = /^([1-9][0-9]{0,8})(s|m|h)$/.exec(text) ?? [];
  if (count === undefined) throw new Failure(`--expires-in must be a number with s, m or h, not '${text}'.`);
  return Number(count) * (unit === "h" ? 3600 : unit === "m" ? 60 : 1);
}
