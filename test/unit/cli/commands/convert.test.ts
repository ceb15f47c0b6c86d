import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const main = fileURLToPath(new URL("../../../../src/cli/main.ts", import.meta.url));

function convert(input: string, ...flags: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, "convert", ...flags], { input, encoding: "utf8" });
  return { status, stdout, stderr };
}

/** The three documents of the seed, as they stand there. */
const seed = `apiVersion: v1beta1
kind: TLSConfig
name: my-tls-config
spec:
   # Subject names in the Certificate
   subjectNames:
   - foo
   - bar
   selector:
     matchLabels:
       role: frontend
       stage: production
---
apiVersion: v1beta1
kind: Canary
metadata:
  name: my-canary
spec:
  service: numbers
  backends:
  - service: one
    # Identical to resources, 1 = 1000m
    weight: 10m
  - service: two
    weight: 1
`;

const converted = `apiVersion: smi-spec.io/v1beta1
kind: TLSConfig
metadata:
  name: my-tls-config
spec:
  subjectNames:
    - foo
    - bar
  selector:
    matchLabels:
      role: frontend
      stage: production
---
apiVersion: smi-spec.io/v1beta1
kind: Canary
metadata:
  name: my-canary
spec:
  service: numbers
  backends:
    - service: one
      weight: 10m
    - service: two
      weight: 1
`;

describe("weft convert", () => {
  it("turns the seed's documents into objects", () => {
    expect(convert(seed, "-f", "-")).toEqual({ status: 0, stdout: converted, stderr: "" });
  });

  it("prints JSON as one List", () => {
    const { status, stdout } = convert(seed, "-f", "-", "-o", "json");

    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ kind: "List", items: [{ kind: "TLSConfig" }, { kind: "Canary" }] });
  });

  it("tells what it refuses, prints the rest, and exits 1", () => {
    const { status, stdout, stderr } = convert("apiVersion: v1beta1\nkind: Monitor\nname: m\n---\na: 1\n---\n[", "-f", "-", "-f", "/nowhere");

    expect(status).toBe(1);
    expect(stdout).toBe("a: 1\n");
    expect(stderr).toMatch(/^weft convert: error: -: .*\nweft convert: error: \/nowhere: there is no such file or directory\nweft convert: error: Monitor default\/m: the document lacks spec\. \(object-invalid\)\n$/);
  });

  it("exits 2 on wrong usage, and shows an example in its help", () => {
    expect(convert("", "-o", "xml")).toMatchObject({ status: 2, stdout: "" });
    expect(convert("", "--help")).toMatchObject({ status: 0, stdout: expect.stringContaining("weft convert -f draft.yaml | kubectl apply -f -") });
  });
});
