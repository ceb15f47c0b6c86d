/** Runs the tiers one after the other, all of them even when one fails, and ends on `N passed, N failed`. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
}

let passed = 0;
let failed = 0;
mkdirSync("build", { recursive: true });
for (const tier of process.argv.slice(2)) {
  process.stdout.write(`\n=== ${tier} ===\n`);
  const file = `build/test-${tier}.json`;
  rmSync(file, { force: true });
  const result = spawnSync("vitest", ["run", "--project", tier, "--reporter=default", "--reporter=json", `--outputFile.json=${file}`], { stdio: "inherit" });
  const report = readReport(file);
  passed += report.numPassedTests;
  // A file that cannot even be loaded counts no failed test of its own.
  const unloaded = report.numFailedTests === 0 && result.status !== 0 ? Math.max(1, report.numFailedTestSuites) : 0;
  failed += report.numFailedTests + unloaded;
}
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

function readReport(file: string): Report {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Report;
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numFailedTestSuites: 1 };
  }
}
