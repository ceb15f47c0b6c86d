import { Failure } from "../program.ts";

/** How the tour is told: chapters, facts, and a failure when a fact is not as it should be. */
export interface Telling {
  chapter(title: string): void;
  say(line: string): void;
  /** A document or a program's words, indented. */
  quote(text: string): void;
  /** Tells the fact; ends the tour when it does not hold. */
  expect(holds: boolean, fact: string): void;
}

const colours = { bold: "1", green: "32", red: "31", dim: "2" } as const;

export function createTelling(output: NodeJS.WriteStream): Telling {
  const coloured = output.isTTY && process.env["NO_COLOR"] === undefined;
  let chapters = 0;

  function paint(colour: keyof typeof colours, text: string): string {
    return coloured ? `\u001b[${colours[colour]}m${text}\u001b[0m` : text;
  }
  function line(text: string): void {
    output.write(`${text}\n`);
  }

  return {
    chapter(title) {
      chapters += 1;
      line(`\n${paint("bold", `${chapters}. ${title}`)}`);
    },
    say: (text) => line(`   ${text}`),
    quote: (text) => text.trimEnd().split("\n").forEach((quoted) => line(paint("dim", `     ${quoted}`))),
    expect(holds, fact) {
      line(holds ? `   ${paint("green", "✓")} ${fact}` : `   ${paint("red", "✗")} ${fact}`);
      if (!holds) throw new Failure(`step ${chapters} is not as it should be: ${fact}`);
    },
  };
}

/** `foobar-v1 ████████ 200 (66.7 %)`: one line a key, in a stable order. */
export function formatCounts(counts: Readonly<Record<string, number>>): string {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const width = Math.max(...Object.keys(counts).map((name) => name.length));
  const rows = Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
  return rows.map(([name, count]) => `${name.padEnd(width)} ${"█".repeat(Math.round((count / total) * 30))} ${count} (${((count / total) * 100).toFixed(1)} %)`).join("\n");
}
