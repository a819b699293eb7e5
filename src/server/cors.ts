// The CORS fields (Fetch standard, section 3.2) for origins that the settings name, and for nobody else.
// Never with credentials: a page shows the key in a header, cookies of ours do not count across origins.
import type { Inbound } from "./inbound.ts";

/** Raw field list (name, value …) for every answer to `origin`. */
export const corsFields = (origin: string): readonly string[] => [
  "access-control-allow-origin", origin,
  "access-control-expose-headers", "*",
  "vary", "Origin",
];

/** Raw field list for the answer to a preflight. */
export const preflightFields = (origin: string, { preflightHeaders }: Inbound): readonly string[] => [
  ...corsFields(origin),
  "access-control-allow-methods", "GET, HEAD, POST, PUT, PATCH, DELETE",
  "access-control-allow-headers", askedFor(preflightHeaders),
  "access-control-max-age", "600",
];

// Echoed, because the names of tomorrow's headers are not known; only when it is a list of names.
const askedFor = (names: string | null): string => (names !== null && /^[\w\-, ]{1,2000}$/.test(names) ? names : "content-type");
