// The proof key of one authorization request (RFC 7636). Verifier and state come from two separate
// draws: the verifier may only ever reach the token endpoint, the state travels through the browser.
import { createHash } from "node:crypto";
import type { Random } from "../lib/random.ts";
import { base64url } from "../lib/random.ts";
import type { Secret } from "../lib/secret.ts";
import { secret } from "../lib/secret.ts";

/** 64 bytes become 86 characters: inside the 43 to 128 of RFC 7636 section 4.1. */
const drawBytes = 64;

export type Pkce = {
  readonly verifier: Secret;
  /** Base64url of the verifier's SHA-256, without padding (method `S256`). */
  readonly challenge: string;
};

/** A fresh verifier with its challenge: one per authorization request. */
export const createPkce = (random: Random): Pkce => {
  const verifier = secret(base64url(random(drawBytes)));
  return { verifier, challenge: challengeOf(verifier) };
};

/** A fresh state (RFC 6749 section 10.12) from a draw of its own. */
export const createState = (random: Random): Secret => secret(base64url(random(drawBytes)));

/** RFC 7636 section 4.2: `BASE64URL(SHA256(ASCII(verifier)))`. */
export const challengeOf = (verifier: Secret): string =>
  base64url(createHash("sha256").update(verifier.reveal(), "ascii").digest());
