import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { type Item, type WrittenArchive, writeArchive } from "./archive.ts";

export interface ImageOptions {
  /** `NAME:TAG`. */
  readonly name: string;
  /** Where the archive goes; its layers are beside it while it is made. */
  readonly archive: string;
  /** From the bottom up; what changes least first. */
  readonly layers: readonly { readonly title: string; readonly items: readonly Item[] }[];
  readonly report: (line: string) => void;
}

const layerType = "application/vnd.oci.image.layer.v1.tar";
const configType = "application/vnd.oci.image.config.v1+json";
const manifestType = "application/vnd.oci.image.manifest.v1+json";

interface Blob {
  readonly digest: string;
  readonly bytes: number;
}

/**
 * Writes an OCI image layout as one tar archive (image-spec 1.1), which containerd, podman, skopeo and Docker load. Layers
 * are not compressed: they are loaded on the machine that made them, and tools that push compress. Same content, same bytes.
 */
export async function writeImage(options: ImageOptions): Promise<WrittenArchive> {
  await mkdir(dirname(options.archive), { recursive: true });
  const files = options.layers.map((_, index) => `${options.archive}.layer-${index}`);
  try {
    const layers: Blob[] = [];
    for (const [index, { title, items }] of options.layers.entries()) {
      const layer = await writeArchive(`${options.archive}.layer-${index}`, items);
      options.report(`layer ${title}: ${items.length} entries, ${(layer.bytes / 2 ** 20).toFixed(1)} MB`);
      layers.push(layer);
    }
    return await writeArchive(options.archive, layout(options.name, layers, files));
  } finally {
    await Promise.all(files.map((file) => rm(file, { force: true })));
  }
}

function layout(name: string, layers: readonly Blob[], files: readonly string[]): Item[] {
  const config = textBlob(imageConfig(layers));
  const manifest = textBlob({
    schemaVersion: 2,
    mediaType: manifestType,
    config: descriptor(configType, config),
    layers: layers.map((layer) => descriptor(layerType, layer)),
  });
  const annotations = { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": name };
  const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [{ ...descriptor(manifestType, manifest), annotations }] };
  return [
    { kind: "text", path: "oci-layout", text: JSON.stringify({ imageLayoutVersion: "1.0.0" }) },
    { kind: "text", path: "index.json", text: JSON.stringify(index) },
    { kind: "directory", path: "blobs" },
    { kind: "directory", path: "blobs/sha256" },
    ...[config, manifest].map((blob): Item => ({ kind: "text", path: `blobs/sha256/${blob.digest}`, text: blob.text })),
    ...layers.map((layer, at): Item => ({ kind: "copy", path: `blobs/sha256/${layer.digest}`, source: files[at] ?? "" })),
  ];
}

/** The same user, entry and paths as the Dockerfile's. */
function imageConfig(layers: readonly Blob[]): object {
  return {
    created: "1970-01-01T00:00:00Z",
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    config: {
      User: "1337:1337",
      Env: ["PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"],
      Entrypoint: ["weft"],
      WorkingDir: "/",
    },
    rootfs: { type: "layers", diff_ids: layers.map((layer) => `sha256:${layer.digest}`) },
  };
}

function descriptor(mediaType: string, blob: Blob): { readonly mediaType: string; readonly digest: string; readonly size: number } {
  return { mediaType, digest: `sha256:${blob.digest}`, size: blob.bytes };
}

function textBlob(value: object): Blob & { readonly text: string } {
  const text = JSON.stringify(value);
  return { text, digest: createHash("sha256").update(text).digest("hex"), bytes: Buffer.byteLength(text) };
}
