// One sign-in and its two links. Each link is an authorization request of its own: own state, own
// verifier, own redirect. The state that comes back tells which link was used, and only that link's
// redirect may be named at the exchange (RFC 6749 section 4.1.3).
import type { Random } from "../lib/random.ts";
import { base64url } from "../lib/random.ts";
import type { Secret } from "../lib/secret.ts";
import type { LoginAttempt } from "../messages/commands.ts";
import type { LoginKind, OAuthSettings } from "./authorize-url.ts";
import { authorizeUrl } from "./authorize-url.ts";
import { createPkce, createState } from "./pkce.ts";

/** One link: what has to be remembered until its code arrives. */
export type Leg = { readonly link: string; readonly redirectUri: string; readonly state: Secret; readonly verifier: Secret };

/** The addresses of this machine, when something listens. */
export type Loopback = {
  /** `http://localhost:PORT/callback`, null when `oauth.callback` is off. */
  readonly redirectUri: string | null;
  /** `http://localhost:PORT/login`, null when no server of ours answers it. */
  readonly shortUrl: string | null;
};

export type AttemptWish = {
  readonly kind: LoginKind;
  readonly settings: OAuthSettings;
  readonly loopback: Loopback | null;
  readonly expiresAt: number;
};

export type OpenedAttempt = { readonly view: LoginAttempt; readonly legs: readonly Leg[] };

/** Draws a handle, and a state and a verifier per link. */
export const openAttempt = (random: Random, { kind, settings, loopback, expiresAt }: AttemptWish): OpenedAttempt => {
  const leg = (redirectUri: string): Leg => {
    const { verifier, challenge } = createPkce(random);
    const state = createState(random);
    return { link: authorizeUrl({ kind, settings, redirectUri, state, challenge }), redirectUri, state, verifier };
  };
  const manual = leg(settings.redirectUri);
  const browser = loopback?.redirectUri == null ? null : leg(loopback.redirectUri);
  const view: LoginAttempt = {
    attemptId: base64url(random(16)),
    kind,
    authorizeUrl: manual.link,
    browserUrl: browser?.link ?? null,
    shortUrl: loopback?.shortUrl ?? null,
    expiresAt,
  };
  return { view, legs: browser === null ? [manual] : [manual, browser] };
};
