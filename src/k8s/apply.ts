import type { KubeClient } from "./client.ts";

export interface ApplyOptions {
  readonly client: KubeClient;
  /** Of the object itself: `/api/v1/namespaces/shop/configmaps/weft-trust-bundle`. */
  readonly path: string;
  /** With apiVersion, kind, metadata.name, and nothing but the fields that the manager owns. */
  readonly object: object;
  /** Default `weft`. One name an area: fields that an apply leaves out are removed when the same manager set them. */
  readonly fieldManager?: string;
  readonly signal?: AbortSignal;
}

/**
 * Server-side apply, with force: what the manager names is its own. Resolves with the object as stored.
 * @throws ApiError, Error as of {@link KubeClient.request}.
 */
export async function applyObject({ client, path, object, fieldManager = "weft", signal }: ApplyOptions): Promise<unknown> {
  return await client.request({
    method: "PATCH",
    path,
    query: { fieldManager, force: "true" },
    contentType: "application/apply-patch+yaml",
    body: object,
    ...(signal === undefined ? {} : { signal }),
  });
}
