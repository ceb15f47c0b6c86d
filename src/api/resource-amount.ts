/** Amounts of cpu and memory, as containers ask for them. */
export type AmountKind = "cpu" | "memory";

/** Kubernetes takes more spellings; these are those that people write. `100m` of memory, a tenth of a byte, is none. */
export const amountPatterns: Readonly<Record<AmountKind, string>> = {
  cpu: String.raw`^[0-9]{1,6}(\.[0-9]{1,3})?$|^[0-9]{1,9}m$`,
  memory: String.raw`^[0-9]{1,15}(\.[0-9]{1,3})?(k|Ki|M|Mi|G|Gi|T|Ti)?$`,
};

const factors: Readonly<Record<string, number>> = { "": 1, k: 1e3, Ki: 2 ** 10, M: 1e6, Mi: 2 ** 20, G: 1e9, Gi: 2 ** 30, T: 1e12, Ti: 2 ** 40 };

/** Cores or bytes, to compare amounts; the text fits its pattern. */
export function amountOf(text: string): number {
  const [, number = "", suffix = ""] = /^([0-9.]+)([A-Za-z]*)$/.exec(text) ?? [];
  // A division is rounded once, so that 1500m is 1.5.
  return suffix === "m" ? Number(number) / 1000 : Number(number) * (factors[suffix] ?? 1);
}
