import { describe, expect, it } from "vitest";
import { annotationTable, isAnnotationName, type AnnotationName } from "../../../../webhook/inject/annotation-table.ts";

const digest = "a".repeat(64);
const many = Array.from({ length: 33 }, (_, index) => index + 1).join(",");

/** What each type of value takes, as it is understood. */
const good: readonly (readonly [AnnotationName, string, unknown])[] = [
  ["include-inbound-ports", "*", ["*"]],
  ["include-inbound-ports", "8080", ["8080"]],
  ["exclude-inbound-ports", " 1, 65535 ,8000-8010", ["1", "65535", "8000-8010"]],
  ["include-outbound-cidrs", "*", ["*"]],
  ["exclude-outbound-cidrs", "10.0.0.0/8,fd00::/8,192.0.2.7,::1/128,0.0.0.0/0", ["10.0.0.0/8", "fd00::/8", "192.0.2.7", "::1/128", "0.0.0.0/0"]],
  ["exclude-uids", "0,4294967294,100-200", ["0", "4294967294", "100-200"]],
  ["exclude-interfaces", "net1,eth0.100,tun+", ["net1", "eth0.100", "tun+"]],
  ["redirection", "none", "none"],
  ["native-sidecars", "on", true],
  ["rewrite-probes", "off", false],
  ["concurrency", "64", 64],
  ["drain-seconds", "3600", 3600],
  ["log-level", "warning", "warning"],
  ["image-pull-policy", "Never", "Never"],
  ["image", "weft", "weft"],
  ["image", "registry.example:5000/a/b-c__d.e:v1_2-3", "registry.example:5000/a/b-c__d.e:v1_2-3"],
  ["image", `REGISTRY.example/weft@sha256:${digest}`, `REGISTRY.example/weft@sha256:${digest}`],
  ["proxy-cpu-request", "250m", "250m"],
  ["init-cpu-limit", "0.5", "0.5"],
  ["agent-memory-limit", "1.5Gi", "1.5Gi"],
  ["env", "{}", []],
  ["env", '{"A":"","_b1":"x\\ny$(A)\\u00e9\\ud83d\\ude00"}', [{ name: "A", value: "" }, { name: "_b1", value: "x\ny$(A)é😀" }]],
  ["env", '{"__proto__":"p"}', [{ name: "__proto__", value: "p" }]],
];

const bad: readonly (readonly [AnnotationName, string])[] = [
  ["include-inbound-ports", ""],
  ["include-inbound-ports", "*,80"],
  ["exclude-inbound-ports", "0"],
  ["exclude-inbound-ports", "65536"],
  ["exclude-inbound-ports", "080"],
  ["exclude-inbound-ports", "80,"],
  ["exclude-inbound-ports", "80;rm"],
  ["exclude-inbound-ports", "80 --proxy-uid 0"],
  ["exclude-inbound-ports", "9-8"],
  ["exclude-inbound-ports", "1-2-3"],
  ["exclude-inbound-ports", "８０"],
  ["exclude-inbound-ports", "80\n"],
  ["exclude-inbound-ports", many],
  ["exclude-outbound-cidrs", "10.0.0.0/33"],
  ["exclude-outbound-cidrs", "10.0.0.0/08"],
  ["exclude-outbound-cidrs", "10.0.0"],
  ["exclude-outbound-cidrs", "fd00::/129"],
  ["exclude-outbound-cidrs", "fe80::1%eth0"],
  ["exclude-outbound-cidrs", "example.test"],
  ["exclude-uids", "4294967295"],
  ["exclude-uids", "-1"],
  ["exclude-uids", "root"],
  ["exclude-interfaces", "lo"],
  ["exclude-interfaces", "+"],
  ["exclude-interfaces", "l+"],
  ["exclude-interfaces", "sixteen-letters1"],
  ["exclude-interfaces", "../eth0"],
  ["exclude-interfaces", "-i"],
  ["redirection", "Iptables"],
  ["redirection", "tproxy"],
  ["native-sidecars", "true"],
  ["rewrite-probes", ""],
  ["concurrency", "0"],
  ["concurrency", "65"],
  ["concurrency", "1.5"],
  ["concurrency", "0x10"],
  ["drain-seconds", "3601"],
  ["log-level", "debug "],
  ["image-pull-policy", "always"],
  ["image", "weft:1\ncommand: [sh]"],
  ["image", "a/../b"],
  ["image", "registry.example/weft:"],
  ["image", "registry.example/weft@sha256:abc"],
  ["image", "https://registry.example/weft"],
  ["image", "ｗeft"],
  ["proxy-cpu-request", "100Mi"],
  ["proxy-cpu-request", "-1"],
  ["proxy-cpu-request", "1e3"],
  ["proxy-memory-limit", "100m"],
  ["proxy-memory-limit", "64 Mi"],
  ["env", "A=b"],
  ["env", "[]"],
  ["env", '"A"'],
  ["env", "null"],
  ["env", '{"A":1}'],
  ["env", '{"A":null}'],
  ["env", '{"WEFT_POD":"x"}'],
  ["env", '{"weft_pod":"x"}'],
  ["env", '{"A-B":"x"}'],
  ["env", '{"":"x"}'],
  ["env", '{"1A":"x"}'],
  ["env", '{"A":"\\u0000"}'],
  ["env", '{"A":"\\ud800"}'],
  ["env", '{"$(A)":"x"}'],
  ["env", "{{ .Values }}"],
];

describe("the annotation table", () => {
  for (const [name, text, value] of good) {
    it(`${name} takes ${JSON.stringify(text)}`, () => expect(annotationTable[name].type.read(text)).toEqual(value));
  }

  for (const [name, text] of bad) {
    it(`${name} refuses ${JSON.stringify(text)}`, () => expect(annotationTable[name].type.read(text)).toBeUndefined());
  }

  it.each(Object.entries(annotationTable))("%s takes its own example", (_name, { type, example }) => {
    expect(type.read(example)).toBeDefined();
    expect(example.length).toBeLessThanOrEqual(type.maxLength);
  });

  it("has a row for every amount of every sidecar", () => {
    const names = Object.keys(annotationTable).filter((name) => /-(cpu|memory)-(request|limit)$/.test(name));

    expect(names).toHaveLength(16);
    expect(names).toContain("adapter-memory-limit");
  });

  it.each(["__proto__", "constructor", "toString", "status", "inject"])("knows no annotation %s", (name) => {
    expect(isAnnotationName(name)).toBe(false);
  });
});
