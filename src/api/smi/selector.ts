import { Type, type Static } from "typebox";

/** `selector.matchLabels` of seed 000: all labels must match; empty selects every pod of the namespace. */
export const Selector = Type.Object({
  matchLabels: Type.Optional(Type.Record(Type.String(), Type.String())),
});
export type Selector = Static<typeof Selector>;
