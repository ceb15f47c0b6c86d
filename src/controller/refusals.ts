import { compareProblems, type Problem } from "../std/problem.ts";
import type { ProxyOutcome } from "../xds/sessions.ts";

export interface Refusals {
  record(outcome: ProxyOutcome): void;
  /** Its stream is gone: nothing is known of it any more. */
  forget(proxy: string): void;
  problems(): readonly Problem[];
}

/** What proxies refused and have not accepted since, by resource; the Problem is on the proxy's Pod. */
export function createRefusals(): Refusals {
  const byProxy = new Map<string, Map<string, Problem>>();

  function resourcesOf(proxy: string): Map<string, Problem> {
    const known = byProxy.get(proxy) ?? new Map<string, Problem>();
    byProxy.set(proxy, known);
    return known;
  }

  return {
    record(outcome) {
      const refused = resourcesOf(outcome.proxy);
      for (const name of outcome.names) refused.delete(`${outcome.type} ${name}`);
      if (outcome.kind === "accepted") return;
      for (const name of blamed(outcome)) {
        const key = `${outcome.type} ${name}`;
        refused.set(key, problemOf(outcome.proxy, key, outcome.sentence));
      }
    },
    forget: (proxy) => void byProxy.delete(proxy),
    problems: () => [...byProxy.values()].flatMap((problems) => [...problems.values()]).sort(compareProblems),
  };
}

/** Envoy refuses a response as a whole and names the bad ones among its resources; when it names none, all are. */
function blamed({ names, sentence }: ProxyOutcome & { readonly kind: "refused" }): readonly string[] {
  const named = names.filter((name) => sentence.includes(name));
  return named.length === 0 ? names : named;
}

function problemOf(proxy: string, resource: string, sentence: string): Problem {
  const [namespace = "", name = ""] = proxy.split("/");
  return {
    severity: "error",
    code: "proxy-refused",
    object: { kind: "Pod", namespace, name },
    sentence: `The proxy refuses ${resource}: ${sentence} Its last good configuration stays.`,
  };
}
