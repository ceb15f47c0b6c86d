import { Type, type Static } from "typebox";
import { Selector } from "./selector.ts";
import type { Meta } from "../kubernetes.ts";

/** `spec` of TLSConfig (seed 000): which pods talk mutual TLS, under which further names. */
export const TlsConfigSpec = Type.Object({
  subjectNames: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 253 }), { maxItems: 64, description: "DNS names in the certificate, beside the identity." }),
  ),
  selector: Selector,
  mode: Type.Optional(
    Type.Union([Type.Literal("permissive"), Type.Literal("strict")], {
      description: "strict refuses plaintext; default: tls.mode of the mesh configuration.",
    }),
  ),
});
export type TlsConfigSpec = Static<typeof TlsConfigSpec>;

export interface TlsConfig {
  readonly kind: "TLSConfig";
  readonly metadata: Meta;
  readonly spec: TlsConfigSpec;
}
