import { meshConfigDefaults } from "../api/mesh-config-defaults.ts";
import type { ObjectSource } from "../api/objects.ts";
import { watchMeshConfig, type WatchedConfig } from "../files/config-file.ts";
import type { Logger } from "../runtime/logger.ts";
import { Failure } from "./program.ts";

/** The mesh configuration of `--config`, followed; without the flag, the defaults for good. Throws a Failure when it cannot be used. */
export async function followConfig(file: string | undefined, logger: Logger): Promise<WatchedConfig> {
  if (file === undefined) return { current: () => meshConfigDefaults, onChange: () => () => undefined, stop: async () => undefined };
  return watchMeshConfig(file, logger).catch((error: unknown) => {
    throw new Failure(error instanceof Error ? error.message : String(error));
  });
}

/** The source, whose listeners also hear of another configuration: what is made of the objects depends on both. */
export function withConfig(source: ObjectSource, config: WatchedConfig): ObjectSource {
  return {
    synced: source.synced,
    current: () => source.current(),
    trouble: () => source.trouble(),
    stop: () => source.stop(),
    onChange(listener) {
      const ends = [source.onChange(listener), config.onChange(() => listener(new Set()))];
      return () => {
        for (const end of ends) end();
      };
    },
  };
}
