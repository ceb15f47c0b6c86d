import type { AnyJson } from "@bufbuild/protobuf/wkt";

/**
 * An extension's configuration as `typed_config`. `type` is the full proto name. The generated `AnyJson` refuses further
 * keys in literals, so this is the one place where they are put in; `src/xds` checks every key when it encodes.
 */
export function packAny<T extends object>(type: string, value: T): AnyJson {
  return { "@type": `type.googleapis.com/${type}`, ...value };
}
