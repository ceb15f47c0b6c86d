import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Problem } from "../std/problem.ts";
import type { Convergence } from "../xds/convergence.ts";
import type { ProxyOutcome } from "../xds/sessions.ts";
import type { Publication } from "./pipeline.ts";

export interface ControllerMetrics {
  readonly registry: Registry;
  outcome(outcome: ProxyOutcome): void;
  converged(convergence: Convergence): void;
  published(publication: Publication): void;
}

/** What gauges ask for when somebody scrapes. */
export interface ControllerFacts {
  readonly connected: () => number;
  readonly problems: () => readonly Problem[];
}

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The controller's own metrics; their table is in the folder's README. */
export function createControllerMetrics(facts: ControllerFacts): ControllerMetrics {
  const registry = new Registry();
  const registers = [registry];
  const answers = new Counter({ name: "weft_xds_answers_total", help: "Answers of proxies to what they were told.", labelNames: ["type", "outcome"], registers });
  const convergence = new Histogram({ name: "weft_xds_convergence_seconds", help: "From a change to the answer of all proxies.", buckets: seconds, registers });
  const build = new Histogram({ name: "weft_snapshot_build_seconds", help: "Building the snapshot of the mesh.", buckets: seconds, registers });
  addConnected(registry, facts);
  addProblems(registry, facts);
  return {
    registry,
    outcome: ({ type, kind }) => answers.inc({ type, outcome: kind }),
    converged: ({ milliseconds }) => convergence.observe(milliseconds / 1000),
    published: ({ buildMilliseconds }) => build.observe(buildMilliseconds / 1000),
  };
}

function addConnected(registry: Registry, facts: ControllerFacts): void {
  const gauge: Gauge = new Gauge({
    name: "weft_xds_connected_proxies",
    help: "Proxies with a stream.",
    registers: [registry],
    collect: () => gauge.set(facts.connected()),
  });
}

function addProblems(registry: Registry, facts: ControllerFacts): void {
  const gauge: Gauge<"severity" | "code"> = new Gauge({
    name: "weft_problems",
    help: "Problems of objects, by code.",
    labelNames: ["severity", "code"],
    registers: [registry],
    collect: () => {
      gauge.reset();
      for (const { severity, code } of facts.problems()) gauge.inc({ severity, code });
    },
  });
}
