import { formatWorkload, type WorkloadResult } from "./inject-documents.ts";
import { exitCodes } from "./program.ts";

/** One line a workload, and one a problem, on stderr. */
export function tell(command: string, workloads: readonly WorkloadResult[], problems: readonly string[]): void {
  const nothing = workloads.length === 0 && problems.length === 0 ? ["there is no Pod and no pod template in the input"] : [];
  const lines = [...workloads.flatMap(describeWorkload), ...problems, ...nothing].map((line) => `weft ${command}: ${line}\n`);
  process.stderr.write(lines.join(""));
}

/** 1 when a workload was rejected or something of the input is invalid. */
export function exitCodeOf(workloads: readonly WorkloadResult[], problems: readonly string[]): number {
  const bad = problems.length > 0 || workloads.some(({ decision }) => decision.decision === "rejected");
  return bad ? exitCodes.rejected : exitCodes.done;
}

/** A row of `--report`. */
export function reportRow({ kind, namespace, name, decision, warnings, rewrites }: WorkloadResult): object {
  const { decision: outcome, code, rules, sentence } = decision;
  return { kind, namespace, name, decision: outcome, code, rules, sentence, warnings, rewrites };
}

function describeWorkload(workload: WorkloadResult): string[] {
  const { decision, code, sentence } = workload.decision;
  const head = `${formatWorkload(workload)}: ${decision}`;
  const line = decision === "injected" ? `${head}: ${sentence}` : `${head}: ${sentence} (${code})`;
  const own = workload.warnings.filter((warning) => warning !== sentence).map((warning) => `${formatWorkload(workload)}: warning: ${warning}`);
  return [line, ...own];
}
