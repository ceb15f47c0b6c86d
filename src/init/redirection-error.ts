/** Redirection that cannot be put in place; the message says what to do. */
export class RedirectionError extends Error {
  override readonly name = "RedirectionError";
}

/** What tools say without root or NET_ADMIN. */
export function isRefusal(errors: string): boolean {
  return /permission denied|operation not permitted|you must be root/i.test(errors);
}

/** What to do about the causes that are known. */
export function advise(errors: string): string {
  if (isRefusal(errors)) {
    return "Redirection needs root (UID 0) with the capabilities NET_ADMIN and NET_RAW: allow them to the container weft-init (Pod Security level privileged), or do without it (injection.redirection: cni or none).";
  }
  if (/lock file|xtables lock/i.test(errors)) {
    return "Legacy iptables wants to write a lock file: make its directory writable, or name another file in XTABLES_LOCKFILE.";
  }
  if (/missing kernel module|not supported|no chain\/target\/match|invalid argument|does not exist|no such file/i.test(errors)) {
    return "The node's kernel lacks a module: load there nf_tables, nft_compat and nf_nat (or, legacy, iptable_nat and ip6table_nat) with xt_owner, xt_REDIRECT and xt_tcpudp, or do without redirection (injection.redirection: cni or none).";
  }
  return "`weft init --dry-run` prints the rules.";
}
