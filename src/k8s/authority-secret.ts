import { Type } from "typebox";
import { checkSchema } from "../api/check-schema.ts";
import type { OwnerReference } from "../api/kubernetes.ts";
import type { KeyStore } from "../std/key-store.ts";
import { ApiError, type KubeClient } from "./client.ts";

export interface SecretKeyStoreOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  /** What deletes the Secret with it; without one the Secret stays when the chart is uninstalled. */
  readonly owner?: OwnerReference;
}

/** Key material in a Secret. Its methods throw ApiError, or Error when the API server is away or the Secret is not text. */
export function secretKeyStore(options: SecretKeyStoreOptions): KeyStore {
  const { client, namespace, name } = options;
  const collection = `/api/v1/namespaces/${namespace}/secrets`;
  return {
    read: async () => {
      const secret = await unless(404, client.request({ method: "GET", path: `${collection}/${name}` }));
      return secret === undefined ? undefined : decodeSecret(secret, `${namespace}/${name}`);
    },
    create: async (values) => {
      const created = await unless(409, client.request({ method: "POST", path: collection, body: encodeSecret(options, values) }));
      return created === undefined ? "exists" : "created";
    },
    write: async (values) => {
      const body = encodeSecret(options, values);
      const replaced = await unless(404, client.request({ method: "PUT", path: `${collection}/${name}`, body }));
      if (replaced === undefined) await client.request({ method: "POST", path: collection, body });
    },
  };
}

const RawSecret = Type.Object({ data: Type.Optional(Type.Record(Type.String(), Type.String())) });

function encodeSecret({ namespace, name, owner }: SecretKeyStoreOptions, values: Readonly<Record<string, string>>): object {
  const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value, "utf8").toString("base64")]));
  const metadata = { namespace, name, labels: { "app.kubernetes.io/managed-by": "weft" }, ...(owner === undefined ? {} : { ownerReferences: [owner] }) };
  return { apiVersion: "v1", kind: "Secret", metadata, type: "Opaque", data };
}

/** A Secret without data counts as not there yet: a chart may render it empty to own it. */
function decodeSecret(raw: unknown, name: string): Readonly<Record<string, string>> | undefined {
  const secret = checkSchema(RawSecret, raw, "");
  // The faults would quote nothing secret, but there is nothing in them for a person either.
  if (!secret.ok) throw new Error(`Secret ${name} cannot be read; delete it to have it made anew.`);
  const entries = Object.entries(secret.value.data ?? {});
  return entries.length === 0 ? undefined : Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")]));
}

/** undefined in place of an error of that status. */
async function unless(status: number, answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && error.status === status) return undefined;
    throw error;
  }
}
