// Is this the local key? Both sides are hashed, so that neither the length nor the first difference shows
// in the time it takes; the key's own digest is made once, because this runs for every request.
import { hash, timingSafeEqual } from "node:crypto";
import type { Secret } from "../lib/secret.ts";
import type { Inbound } from "./inbound.ts";

const digest = (text: string): Buffer => hash("sha256", text, "buffer");

const bearer = /^bearer +/i;

/**
 * True when the head carries the key: as `Authorization: Bearer` or `x-api-key`, or as
 * `x-claude-oauth-proxy-key` when the client's own login uses the other two.
 */
export const createKeyCheck = (key: Secret) => {
  const wanted = digest(key.reveal());
  const same = (text: string): boolean => timingSafeEqual(digest(text), wanted);
  return {
    inCredentials: ({ authorization, apiKey }: Inbound): boolean =>
      (authorization !== null && bearer.test(authorization) && same(authorization.replace(bearer, ""))) || (apiKey !== null && same(apiKey)),
    inOwnHeader: ({ proxyKey }: Inbound): boolean => proxyKey !== null && same(proxyKey),
  };
};
