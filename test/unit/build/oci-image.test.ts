import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { writeArchive, type Item } from "../../../src/build/archive.ts";
import { writeImage } from "../../../src/build/oci-image.ts";
import { formatHeader } from "../../../src/build/tar.ts";

const folder = mkdtempSync(join(tmpdir(), "weft-image-"));
afterAll(() => rmSync(folder, { recursive: true }));

const items: Item[] = [
  { kind: "text", path: "b/note", text: "hello\n" },
  { kind: "directory", path: "b" },
  { kind: "symlink", path: "a", target: "b/note" },
  { kind: "text", path: "run.sh", text: "x".repeat(513), mode: 0o755 },
  { kind: "directory", path: "tmp", mode: 0o1777 },
];

describe("an archive", () => {
  it("is what tar reads: sorted, root's, from 1970", async () => {
    await writeArchive(join(folder, "a.tar"), items);

    const listing = execFileSync("tar", ["--utc", "-tvf", join(folder, "a.tar")], { encoding: "utf8" }).replaceAll(/ +/g, " ");

    expect(listing).toBe(
      [
        "lrwxrwxrwx root/root 0 1970-01-01 00:00 a -> b/note",
        "drwxr-xr-x root/root 0 1970-01-01 00:00 b/",
        "-rw-r--r-- root/root 6 1970-01-01 00:00 b/note",
        "-rwxr-xr-x root/root 513 1970-01-01 00:00 run.sh",
        "drwxrwxrwt root/root 0 1970-01-01 00:00 tmp/",
        "",
      ].join("\n"),
    );
  });

  it("has the same bytes whatever the order and the times of its sources", async () => {
    const source = join(folder, "source");
    writeFileSync(source, "copied");
    const copy: Item = { kind: "copy", path: "copy", source };
    const first = await writeArchive(join(folder, "first.tar"), [...items, copy]);
    utimesSync(source, 5, 5);

    const second = await writeArchive(join(folder, "second.tar"), [copy, ...items].reverse());

    expect(second).toEqual(first);
    expect(first.digest).toBe(createHash("sha256").update(readFileSync(join(folder, "second.tar"))).digest("hex"));
    expect(first.bytes).toBe(readFileSync(join(folder, "first.tar")).length);
  });

  it("refuses a path that does not fit", () => {
    expect(() => formatHeader({ kind: "file", path: "p".repeat(101), mode: 0o644, size: 0 })).toThrow("is longer than the 100 bytes");
  });
});

describe("an image", () => {
  it("is an OCI layout whose digests and sizes are right, named whole, for a user that is not root", async () => {
    const lines: string[] = [];
    const archive = join(folder, "image.tar");
    const layers = [
      { title: "base", items },
      { title: "top", items: items.slice(0, 2) },
    ];
    await writeImage({ name: "weft/weft:1.2.3", archive, layers, report: (line) => lines.push(line) });
    const layout = join(folder, "layout");
    mkdirSync(layout);
    execFileSync("tar", ["-C", layout, "-xf", archive]);

    const index = readJson(join(layout, "index.json"));
    const manifest = readJson(blob(layout, index.manifests[0]?.digest));
    const config = readJson(blob(layout, manifest.config.digest));

    expect(readJson(join(layout, "oci-layout"))).toEqual({ imageLayoutVersion: "1.0.0" });
    expect(index.manifests[0]?.annotations["org.opencontainers.image.ref.name"]).toBe("weft/weft:1.2.3");
    expect(config.config).toEqual({ User: "1337:1337", Env: ["PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"], Entrypoint: ["weft"], WorkingDir: "/" });
    expect(config.rootfs.diff_ids).toEqual(manifest.layers.map((layer) => layer.digest));
    for (const { digest, size } of [...index.manifests, manifest.config, ...manifest.layers]) {
      const content = readFileSync(blob(layout, digest));
      expect([`sha256:${createHash("sha256").update(content).digest("hex")}`, content.length]).toEqual([digest, size]);
    }
    expect(readdirSync(join(layout, "blobs/sha256"))).toHaveLength(4);
    expect(readdirSync(folder).filter((name) => name.includes("layer-"))).toEqual([]);
    expect(lines).toEqual(["layer base: 5 entries, 0.0 MB", "layer top: 2 entries, 0.0 MB"]);
  });
});

interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Document {
  readonly manifests: readonly Descriptor[];
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly rootfs: { readonly diff_ids: readonly string[] };
}

function readJson(file: string): Document {
  return JSON.parse(readFileSync(file, "utf8")) as Document;
}

function blob(layout: string, digest = ""): string {
  return join(layout, "blobs/sha256", digest.replace("sha256:", ""));
}
