import type { KubeClient } from "./client.ts";
import { ApiError } from "./client.ts";

export interface WriteStatusOptions {
  readonly client: KubeClient;
  /** Of the object itself, without `/status`. */
  readonly path: string;
  /** Merged into what is there; a null removes a field. */
  readonly status: object;
  readonly signal?: AbortSignal;
}

/**
 * Writes a status subresource by merge patch: no other field is touched, and no version is needed.
 * `gone` = the object was deleted meanwhile, which is nobody's fault.
 * @throws ApiError, Error as of {@link KubeClient.request}.
 */
export async function writeStatus({ client, path, status, signal }: WriteStatusOptions): Promise<"written" | "gone"> {
  try {
    const patch = { method: "PATCH", path: `${path}/status`, query: { fieldManager: "weft-status" }, contentType: "application/merge-patch+json" } as const;
    await client.request({ ...patch, body: { status }, ...(signal === undefined ? {} : { signal }) });
    return "written";
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return "gone";
    throw error;
  }
}
