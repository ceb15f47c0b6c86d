import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";

/** The command line from source: what a person gets of `dist/weft`, without the bundle. */
function weft(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ["src/cli/main.ts", ...args], { encoding: "utf8" });
}

const listed = execFileSync(process.execPath, ["src/cli/main.ts", "--help"], { encoding: "utf8" });
const commands = [...listed.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map((match) => match[1] ?? "");

describe("weft", () => {
  it("lists its commands", () => {
    expect(commands).toEqual(expect.arrayContaining(["run", "inject", "explain", "translate", "check", "demo", "agent"]));
  });

  it.each(commands)("%s --help has an example, on stdout, and ends with 0", (command) => {
    const { status, stdout } = weft(command, "--help");

    expect(status).toBe(0);
    expect(stdout).toContain("Example");
    expect(stdout).toContain(`weft ${command}`);
  });

  it.each(commands)("%s refuses an unknown flag with 2 and says so on stderr", (command) => {
    const { status, stdout, stderr } = weft(command, "--no-such-flag");

    expect(status).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain("--no-such-flag");
  });

  it("refuses an unknown command with 2 and lists the others", () => {
    const { status, stderr } = weft("injct");

    expect(status).toBe(2);
    expect(stderr).toContain("injct");
    expect(stderr).toContain("inject");
  });

  it("has a module for each command", () => {
    expect(commands.filter((command) => !existsSync(`src/cli/commands/${command}.ts`))).toEqual([]);
  });
});
