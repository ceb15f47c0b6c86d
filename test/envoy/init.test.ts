import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findTool } from "../../src/runtime/tools.ts";
import { families, makeNamespaces, type Namespaces, type Outcome } from "./init-namespaces.ts";

/** How `weft init` puts its rules in force, whatever it finds: by real tools in a real network namespace, made anew for each test. */
let network: Namespaces;

const init = [process.execPath, "src/cli/main.ts", "init"] as const;
const withoutFilter = ["python3", "test/support/without-packet-filter.py"] as const;

function applied(family: "IPv4" | "IPv6", by: string): string {
  return `weft init: ${family} traffic is redirected through the proxy (${by}).\n`;
}

function unchanged(family: "IPv4" | "IPv6", by: string): string {
  return `weft init: ${family}: these rules are in force already, nothing changed (${by}).\n`;
}

const nft4 = "iptables-nft: the kernel has nf_tables";
const nft6 = "ip6tables-nft: the kernel has nf_tables";

/** Runs `weft init` with a PATH that has only these programs. */
async function withPrograms(programs: readonly string[], ...flags: readonly string[]): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "weft-path-"));
  for (const program of programs) await symlink(program, join(folder, basename(program)));
  const outcome = await network.run("env", `PATH=${folder}`, ...init, ...flags);
  await rm(folder, { recursive: true });
  return outcome;
}

async function allRules(filter: "nft" | "legacy"): Promise<readonly (readonly string[])[]> {
  return [await network.rules("ipv4", filter), await network.rules("ipv6", filter)];
}

/** Both families' number of rules. */
async function count(filter: "nft" | "legacy"): Promise<readonly number[]> {
  return (await allRules(filter)).map((rules) => rules.length);
}

async function legacyPrograms(...families: readonly string[]): Promise<string[]> {
  const iptables = await findTool("iptables");
  return families.flatMap((family) => ["save", "restore"].map((tool) => iptables.replace(/iptables$/, `${family}-legacy-${tool}`)));
}

beforeEach(async () => {
  network = await makeNamespaces();
});

afterEach(() => network.stop());

describe("a dry run", () => {
  it("changes nothing, and prints for both families what the tools take", async () => {
    const { stdout } = await network.init("--dry-run", "--exclude-outbound-cidrs", "10.0.0.0/8,fd00::/8");
    const untouched = await allRules("nft");
    const [, ipv4 = "", ipv6 = ""] = stdout.split(/^# IPv[46]: .*\n/m);
    const taken = [await network.run("sh", "-c", `printf %s '${ipv4}' | iptables-restore --noflush`), await network.run("sh", "-c", `printf %s '${ipv6}' | ip6tables-restore --noflush`)];

    expect(stdout).toMatch(/^# IPv4: iptables-restore --noflush\n\*nat\n:WEFT_INBOUND - \[0:0\]\n/);
    expect(stdout).toContain("\nCOMMIT\n# IPv6: ip6tables-restore --noflush, after ip -6 address add ::6/128 dev lo nodad preferred_lft 0\n*nat\n");
    expect(untouched).toEqual([[], []]);
    expect(taken.map(({ code }) => code)).toEqual([0, 0]);
    expect((await network.init("--exclude-outbound-cidrs", "10.0.0.0/8,fd00::/8")).stderr).toBe(unchanged("IPv4", nft4) + unchanged("IPv6", nft6));
  });
});

describe("flags that cannot be used", () => {
  it("are all named, each with what is wanted, and nothing is changed", async () => {
    const outcome = await network.init("--exclude-inbound-ports", "0,80", "--exclude-inbound-ports", "x", "--exclude-outbound-cidrs", "10.0.0.0/33", "--proxy-uid", "root", "--exclude-interfaces", "lo");

    expect(outcome).toEqual({
      code: 2,
      stdout: "",
      stderr: [
        "weft init: --proxy-uid: 'root' is not a user or group id. Give a number from 0 to 4294967294.",
        "  --exclude-inbound-ports: '0', 'x' cannot be used. Give ports from 1 to 65535, or ranges of them like 8000-8010, comma-separated.",
        "  --exclude-outbound-cidrs: '10.0.0.0/33' cannot be used. Give IPv4 or IPv6 networks or addresses like 10.0.0.0/8, fd00::/8, comma-separated.",
        "  --exclude-interfaces: 'lo' cannot be used. Give names of network interfaces like net1, or how several begin, like net+; not lo, comma-separated.",
        "",
      ].join("\n"),
    });
    expect(await allRules("nft")).toEqual([[], []]);
  });
});

describe("what is missing", () => {
  it("is told without NET_ADMIN, and all is left as it was", async () => {
    const outcome = await network.run("setpriv", "--bounding-set=-net_admin", ...init);

    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/^weft init: iptables-nft-save failed: .*Redirection needs root \(UID 0\) with the capabilities NET_ADMIN and NET_RAW: allow them to the container weft-init \(Pod Security level privileged\), or do without it \(injection\.redirection: cni or none\)\.\n$/);
    expect(await allRules("nft")).toEqual([[], []]);
  });

  it("is told without iptables", async () => {
    const outcome = await withPrograms([await findTool("ip")]);

    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toBe(
      "weft init: neither iptables-nft-restore nor iptables-legacy-restore is in PATH. Install iptables 1.8 or later (Debian: the package iptables), or use weft's own image, which has it.\n",
    );
  });

  it("is told without ip, which IPv6 needs and IPv4 does not", async () => {
    const legacy = await legacyPrograms("iptables", "ip6tables");

    expect(await withPrograms(legacy)).toMatchObject({ code: 1, stderr: expect.stringMatching(/^weft init: ip is not in PATH\. Install iproute2 .* --ip-families ipv4 to leave IPv6 alone\.\n$/) as string });
    expect(await count("legacy")).toEqual([0, 0]);
    expect((await withPrograms(legacy, "--ip-families", "ipv4")).stderr).toBe(applied("IPv4", "iptables-legacy: iptables-nft-save is not installed"));
  });

  it("is told on a kernel that translates no addresses", async () => {
    const outcome = await network.run(...withoutFilter, "all", ...init);

    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/^weft init: iptables-nft-save failed: .*Protocol not supported\. iptables-legacy-restore failed: .*The node's kernel lacks a module: load there nf_tables, nft_compat and nf_nat/s);
    expect(await allRules("nft")).toEqual([[], []]);
  });

  it("is told where IPv6 is switched off", async () => {
    await network.run("sysctl", "-w", "net.ipv6.conf.all.disable_ipv6=1");

    const outcome = await network.init("--ip-families", "dual");

    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/^weft init: ip -6 address add ::6\/128 .* failed: .*IPv6 is disabled on this device\. IPv6 is switched off here: .* or give --ip-families ipv4\.\n$/s);
    expect(await allRules("nft")).toEqual([[], []]);
    expect((await network.init()).stderr).toBe(applied("IPv4", nft4));
  });
});

describe("the families", () => {
  it("are those by which the pod can be called", async () => {
    await network.stop();
    network = await makeNamespaces("ipv4");
    const linkLocal = await network.run("ip", "-6", "address", "show", "dev", "eth0");
    const alone = await network.init();
    const rules = await count("nft");
    await network.run("ip", "address", "add", "fd99:7::2/64", "dev", "eth0");
    const both = await network.init();

    expect(linkLocal.stdout).toContain("inet6 fe80::");
    expect(alone.stderr).toBe(applied("IPv4", nft4));
    expect(rules).toEqual([14, 0]);
    expect(both.stderr).toBe(unchanged("IPv4", nft4) + applied("IPv6", nft6));
    expect(await count("nft")).toEqual([14, 15]);
  });

  it("may be given, and rules of ours for another one are taken out", async () => {
    await network.init();
    const ipv6 = await network.init("--ip-families", "ipv6");
    const left = await count("nft");
    const ipv4 = await network.init("--ip-families", "ipv4");

    expect(ipv6.stderr).toBe(unchanged("IPv6", nft6));
    expect(left).toEqual([0, 15]);
    expect(ipv4.stderr).toBe(applied("IPv4", nft4));
    expect(await count("nft")).toEqual([14, 0]);
  });

  it("have an address for the proxy's inbound side, from which nothing else is sent", async () => {
    await network.init();
    await network.init();

    const { stdout } = await network.run("ip", "-6", "-oneline", "address", "show", "dev", "lo");

    expect(stdout.match(/inet6 ::6\/128 .*deprecated/g)).toHaveLength(1);
  });
});

describe.each(["nft", "legacy"] as const)("a run after another, by %s", (filter) => {
  const why = filter === "nft" ? "the kernel has nf_tables" : "legacy tables hold rules already";
  const nothing = unchanged("IPv4", `iptables-${filter}: ${why}`) + unchanged("IPv6", `ip6tables-${filter}: ${why}`);
  const everything = applied("IPv4", `iptables-${filter}: ${why}`) + applied("IPv6", `ip6tables-${filter}: ${why}`);

  async function both(...args: readonly string[]): Promise<void> {
    for (const family of families) {
      const { code, stderr } = await network.run(`${family === "ipv4" ? "iptables" : "ip6tables"}-${filter}`, "-t", "nat", ...args);
      if (code !== 0) throw new Error(stderr);
    }
  }

  beforeEach(() => both("-A", "OUTPUT", "-p", "udp", "-m", "comment", "--comment", "not \"ours\" -j WEFT_OUTBOUND", "-j", "ACCEPT"));

  it("changes nothing, with the oddest values as well", async () => {
    const odd = [
      ["--exclude-inbound-cidrs", "::/0,0.0.0.0/0,1.2.3.4,fd00::1/9,::ffff:1.2.3.4,::1:2,1:2:3:4:5:6:7:8/127,2001:db8:0:0:1:0:0:1"],
      ["--exclude-inbound-ports", "1-65535,3,5-7,65535"],
      ["--exclude-uids", "0,4-4294967294,17"],
      ["--exclude-interfaces", "net1,net+,a.b:c@d"],
      ["--include-inbound-ports", "80,90-99"],
      ["--include-outbound-ports", "1-2,5"],
      ["--include-outbound-cidrs", "10.0.0.0/8,0.0.0.0/0,fd00::/7"],
      ["--proxy-gid", "1337"],
    ].flat();
    const first = await network.init(...odd);
    const before = await allRules(filter);

    const second = await network.init(...odd);

    expect(first.stderr).toBe(everything);
    expect(second.stderr).toBe(nothing);
    expect(await allRules(filter)).toEqual(before);
  });

  it("with other options replaces its own rules, and foreign ones stay", async () => {
    await network.init();
    const before = await allRules(filter);

    const { stderr } = await network.init("--exclude-outbound-ports", "9001");
    const after = await allRules(filter);

    expect(stderr).toBe(everything);
    expect(before.map((rules) => rules.filter((rule) => rule.startsWith("-A OUTPUT -p udp "))).flat()).toHaveLength(2);
    expect(after.map((rules) => rules.filter((rule) => rule !== "-A WEFT_OUTBOUND -p tcp -m tcp --dport 9001 -j RETURN"))).toEqual(before);
    expect(after.flat()).toHaveLength(before.flat().length + 2);
  });

  it.each<[string, readonly (readonly string[])[]]>([
    ["a rule was deleted", [["-D", "WEFT_INBOUND", "-p", "tcp", "-j", "WEFT_IN_REDIRECT"]]],
    ["a chain was emptied", [["-F", "WEFT_OUTBOUND"]]],
    ["a jump was deleted", [["-D", "PREROUTING", "-p", "tcp", "-j", "WEFT_INBOUND"]]],
    ["a jump stands twice", [["-A", "OUTPUT", "-p", "tcp", "-j", "WEFT_OUTBOUND"]]],
    ["all but a piece is gone", [["-F", "PREROUTING"], ["-F", "WEFT_OUTBOUND"], ["-F", "WEFT_INBOUND"], ["-X", "WEFT_INBOUND"]]],
    ["a foreign rule stands in a chain of ours", [["-I", "WEFT_REDIRECT", "-p", "tcp", "--dport", "443", "-j", "RETURN"]]],
    ["another jump to a chain of ours stands first", [["-I", "OUTPUT", "-p", "tcp", "--dport", "443", "-g", "WEFT_REDIRECT"]]],
  ])("mends its rules when %s", async (_, changes) => {
    await network.init();
    const wanted = await allRules(filter);
    for (const change of changes) await both(...change);

    const mended = await network.init();

    expect(mended.stderr).toBe(everything);
    expect((await allRules(filter)).map((rules) => rules.toSorted())).toEqual(wanted.map((rules) => rules.toSorted()));
    expect((await network.init()).stderr).toBe(nothing);
  });
});

describe("the packet filter", () => {
  it("is legacy on a kernel without nf_tables", async () => {
    const first = await network.run(...withoutFilter, "nft", ...init);
    const second = await network.run(...withoutFilter, "nft", ...init);

    expect(first.stderr).toBe(applied("IPv4", "iptables-legacy: the kernel has no nf_tables") + applied("IPv6", "ip6tables-legacy: the kernel has no nf_tables"));
    expect(second.stderr).toBe(unchanged("IPv4", "iptables-legacy: legacy tables hold rules already") + unchanged("IPv6", "ip6tables-legacy: legacy tables hold rules already"));
    expect(await count("legacy")).toEqual([14, 15]);
  });

  it("is legacy once that holds rules, and ours of before leave nft", async () => {
    await network.init();
    await network.run("iptables-legacy", "-A", "INPUT", "-p", "sctp", "-j", "ACCEPT");

    const moved = await network.init();

    expect(moved.stderr).toBe(applied("IPv4", "iptables-legacy: legacy tables hold rules already") + unchanged("IPv6", nft6));
    expect(await count("nft")).toEqual([0, 15]);
    expect(await count("legacy")).toEqual([14, 0]);
  });

  it("is legacy where nft's table is somebody else's and has no place for iptables, and that table stays", async () => {
    await findTool("nft");
    await network.run("nft", "add table ip nat; add chain ip nat OUTPUT; add rule ip nat OUTPUT udp dport vmap { 53 : accept }");
    const before = await network.run("nft", "list", "ruleset");

    const first = await network.init("--ip-families", "ipv4");
    const after = await network.run("nft", "list", "ruleset");
    const second = await network.init("--ip-families", "ipv4");

    expect(first.stderr).toMatch(/^weft init: IPv4 traffic is redirected through the proxy \(iptables-legacy: iptables-nft-restore failed: .*CHAIN_ADD failed \(Operation not supported\): chain OUTPUT\)\.\n$/s);
    expect(after.stdout).toBe(before.stdout);
    expect(second.stderr).toBe(unchanged("IPv4", "iptables-legacy: legacy tables hold rules already"));
  });
});
