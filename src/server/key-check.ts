// Is this the local key? Compared by `timingSafeEqual`, over one buffer made beforehand, because this runs
// for every request. Only the key's length may show in the time it takes; that is no secret.
import { timingSafeEqual } from "node:crypto";
import type { Secret } from "../lib/secret.ts";
import type { Inbound } from "./inbound.ts";

const bearer = /^bearer +/i;

/**
 * True when the head carries the key: as `Authorization: Bearer` or `x-api-key`, or as
 * `x-claude-oauth-proxy-key` when the client's own login uses the other two.
 */
export const createKeyCheck = (key: Secret) => {
  const same = createSameAs(key.reveal());
  return {
    inCredentials: ({ authorization, apiKey }: Inbound): boolean =>
      (authorization !== null && bearer.test(authorization) && same(authorization.replace(bearer, ""))) || (apiKey !== null && same(apiKey)),
    inOwnHeader: ({ proxyKey }: Inbound): boolean => proxyKey !== null && same(proxyKey),
  };
};

const createSameAs = (wanted: string): ((shown: string) => boolean) => {
  const right = Buffer.from(wanted, "utf8");
  const left = Buffer.alloc(right.length);
  return (shown) => {
    if (shown.length !== wanted.length) return false;
    left.fill(0);
    left.write(shown, "latin1");
    // Header values are Latin-1; the last comparison only refuses what merely looks alike in those bytes.
    return timingSafeEqual(left, right) && shown === wanted;
  };
};
