// Which Host a request may name. A page that was re-bound to 127.0.0.1 still sends its own name here, so an
// exact list of names is the protection; nothing is ever resolved.
import { isLoopback } from "../lib/host.ts";

/** `known` may be served, `foreign` is a well-formed other name, `malformed` is no host at all. */
export type HostVerdict = "known" | "foreign" | "malformed";

// A DNS name or an address with an optional port. RFC 3986 section 3.2.2 allows more signs (a comma, percent
// encoding): no name has them, and they are how two parsers come to disagree.
const wellFormed = /^(?:[a-z0-9\-._]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/** The longest DNS name is 253 characters; the rest is room for the port. */
const longest = 262;

/**
 * The check for one port. `extra` are names from the settings: with a port they match exactly, without one
 * they match bare and with our port. `bound` is the address listened on; it counts when it is loopback.
 */
export const createHostCheck = (names: { readonly port: number; readonly bound: string; readonly extra: readonly string[] }) => {
  const known = new Set<string>();
  for (const name of ["127.0.0.1", "localhost", "[::1]", ...(isLoopback(names.bound) ? [bracketed(names.bound)] : [])]) {
    known.add(`${name}:${names.port}`);
    // Clients leave the default port out (RFC 9110 section 4.2.3).
    if (names.port === 80) known.add(name);
  }
  for (const name of names.extra.map((entry) => entry.trim().toLowerCase())) {
    known.add(name);
    if (!/:\d+$/.test(name)) known.add(`${name}:${names.port}`);
  }
  return (host: string): HostVerdict => {
    if (known.has(host)) return "known";
    if (host.length > longest || !wellFormed.test(host)) return "malformed";
    return known.has(host.toLowerCase()) ? "known" : "foreign";
  };
};

const bracketed = (host: string): string => (host.includes(":") && !host.startsWith("[") ? `[${host.toLowerCase()}]` : host.toLowerCase());
