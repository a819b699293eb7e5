// Is this the local key? Compared by `timingSafeEqual`, over one buffer made beforehand, because this runs
// for every request. Only the key's length may show in the time it takes; that is no secret.
import { timingSafeEqual } from "node:crypto";
import type { Secret } from "../lib/secret.ts";
import type { RequestFields } from "./request-info.ts";

const bearer = /^bearer +/i;

/**
 * True when the head carries the key: as `Authorization: Bearer` or `x-api-key`, or as
 * `x-claude-oauth-proxy-key` when the client's own login uses the other two.
 */
export const createKeyCheck = (key: Secret) => {
  const same = createSameAs(key.reveal());
  const carries = (shown: string | null): boolean => shown !== null && same(shown);
  return {
    inCredentials: ({ authorization, apiKey }: RequestFields): boolean =>
      carries(authorization === null ? null : tokenOf(authorization)) || carries(apiKey),
    inOwnHeader: ({ proxyKey }: RequestFields): boolean => carries(proxyKey),
  };
};

// Null for any other scheme. Written as nearly all write it, the value is found without a pattern.
const tokenOf = (authorization: string): string | null => {
  if (authorization.startsWith("Bearer ") && authorization[7] !== " ") return authorization.slice(7);
  return bearer.test(authorization) ? authorization.replace(bearer, "") : null;
};

const createSameAs = (wanted: string): ((shown: string) => boolean) => {
  const right = Buffer.from(wanted, "utf8");
  const left = Buffer.alloc(right.length);
  return (shown) => {
    if (shown.length !== wanted.length) return false;
    left.write(shown, "latin1");
    // Header values are Latin-1; the last comparison only refuses what merely looks alike in those bytes.
    return timingSafeEqual(left, right) && shown === wanted;
  };
};
