/** Whether `text` is an IP address as Kubernetes and Envoy read it; Envoy refuses a whole listener for one that it does not. */
export function isIpAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255);
}

/** RFC 4291 §2.2: eight groups, one run of zeros as `::`, the last two groups perhaps as IPv4. */
function isIpv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2 || !text.includes(":")) return false;
  const counts = halves.map(countGroups);
  if (counts.includes(undefined)) return false;
  const groups = counts.reduce((total: number, count) => total + (count ?? 0), 0);
  return halves.length === 2 ? groups < 8 : groups === 8;
}

function countGroups(half: string, index: number, halves: readonly string[]): number | undefined {
  if (half === "") return halves.length === 2 ? 0 : undefined;
  const groups = half.split(":");
  const last = groups.at(-1) ?? "";
  const embedded = index === halves.length - 1 && last.includes(".");
  const plain = embedded ? groups.slice(0, -1) : groups;
  if (!plain.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group)) || (embedded && !isIpv4(last))) return undefined;
  return plain.length + (embedded ? 2 : 0);
}
