// One sign-in from its start to its end: its links, what it waits for, and how it is shown.
import type { Clock, Timer } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { base64url } from "../lib/random.ts";
import { Secret } from "../lib/secret.ts";
import type { Publish } from "../messages/bus.ts";
import { linkNotice } from "../messages/commands.ts";
import type { LoginAttempt } from "../messages/commands.ts";
import type { IdentityQuestion } from "../messages/identity.ts";
import type { TokenGrant } from "../messages/tokens.ts";
import { createAuthorizationRequest } from "./authorization-request.ts";
import type { AuthorizationRequest, LoginKind, OAuthSettings } from "./authorization-request.ts";
import type { ExchangeOutcome } from "./callback-answer.ts";
import { createShortLink } from "./short-link.ts";
import type { ShortLink } from "./short-link.ts";

/** Ten minutes from link to code. */
export const loginLifeMs = 10 * 60 * 1000;

export type AttemptDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly publish: Publish;
  readonly settings: OAuthSettings;
  /** Asked at every start: a port may be known only later. Null: nothing listens. */
  readonly loopback: () => Loopback | null;
};

/** Where something of ours listens on this machine. */
export type Loopback = {
  /** `http://localhost:PORT`, sure to be ours. */
  readonly origin: string;
  /** The browser is sent back there; false when `oauth.callback` is off. */
  readonly returns: boolean;
};

export type LoginOptions = {
  readonly kind?: LoginKind;
  readonly accountId?: string;
  /** What this account has of its own (client id, addresses, scopes). */
  readonly settings?: Partial<OAuthSettings>;
  readonly acceptIdentity?: boolean;
};

/** A sign-in that the server granted. */
export type GrantedLogin = {
  readonly kind: LoginKind;
  /** The account that the options named. */
  readonly accountId: string | null;
  readonly grant: TokenGrant;
  readonly settings: OAuthSettings;
};

/**
 * Each link has a state, a verifier and a redirect of its own. The state that comes back tells which link was used, and only
 * that link's redirect may be named at the exchange (RFC 6749 section 4.1.3).
 */
export type OpenAttempt = {
  readonly attemptId: string;
  readonly kind: LoginKind;
  readonly expiresAt: number;
  readonly accountId: string | null;
  readonly settings: OAuthSettings;
  readonly acceptIdentity: boolean;
  /** Its page shows the code. */
  readonly byPaste: AuthorizationRequest;
  /** Its page sends the browser back to us. */
  readonly byReturn: AuthorizationRequest | null;
  readonly link: ShortLink | null;
  timer: Timer | null;
  /** The exchange under way, and whose code it is: a paste and a callback at the same moment share it. */
  running: { readonly code: Secret; readonly outcome: Promise<ExchangeOutcome> } | null;
  /** Granted but not yet stored: a code cannot be exchanged twice. */
  grant: TokenGrant | null;
  /** The code that was granted, also when the attempt is over. */
  winner: Secret | null;
  question: IdentityQuestion | null;
  /** The account that it became. */
  storedAs: string | null;
  /** Why it is over, when it led nowhere. */
  ended: string | null;
  /** A browser came too late with its link, and that was told. */
  hasWarned: boolean;
};

export const openAttempt = ({ clock, random, publish, ...deps }: AttemptDeps, { kind = "max", accountId, settings: own = {}, acceptIdentity = false }: LoginOptions): OpenAttempt => {
  const settings = { ...deps.settings, ...own };
  const loopback = deps.loopback();
  const expiresAt = clock.now() + loginLifeMs;
  const byPaste = createAuthorizationRequest(random, { kind, settings, redirectUri: settings.redirectUri });
  const byReturn = loopback?.returns === true ? createAuthorizationRequest(random, { kind, settings, redirectUri: `${loopback.origin}/callback` }) : null;
  const notice = (message: string, hint: string): void => publish({ type: "notice", level: "warning", code: linkNotice, message, hint });
  const link =
    loopback === null
      ? null
      : createShortLink({
          random,
          clock,
          origin: loopback.origin,
          expiresAt,
          returningPage: (byReturn ?? byPaste).link,
          codePage: byPaste.link,
          onWithdrawn: () => notice("Ten wrong tries: the short sign-in link does not work any more. A code can still be pasted.", "Start the sign-in again for a new link."),
          onContested: () => notice("A second browser came with the sign-in link; only the first one can use it.", "If the first was not yours, start the sign-in again for a new link."),
        });
  const attemptId = base64url(random(16));
  return {
    attemptId, kind, expiresAt, accountId: accountId ?? null, settings, acceptIdentity, byPaste, byReturn, link,
    timer: null, running: null, grant: null, winner: null, question: null, storedAs: null, ended: null, hasWarned: false,
  };
};

export const requestsOf = ({ byPaste, byReturn }: OpenAttempt): readonly AuthorizationRequest[] => (byReturn === null ? [byPaste] : [byPaste, byReturn]);

/** States, verifiers, what the short link is made of, the code, and the tokens that it brought. */
export const secretsOf = (attempt: OpenAttempt): readonly Secret[] => {
  const { link, running, winner, grant } = attempt;
  const own = [...requestsOf(attempt).flatMap(({ state, verifier }) => [state, verifier]), ...(link?.secrets ?? [])];
  return [...own, running?.code, winner, grant?.accessToken, grant?.refreshToken].filter((each) => each instanceof Secret);
};

export const viewOf = (attempt: OpenAttempt): LoginAttempt => ({
  attemptId: attempt.attemptId,
  kind: attempt.kind,
  authorizeUrl: attempt.byPaste.link,
  shortUrl: attempt.link?.url() ?? null,
  returns: attempt.byReturn !== null,
  states: requestsOf(attempt).map(({ state }) => state.reveal()),
  expiresAt: attempt.expiresAt,
  question: attempt.question,
});

export const loginOf = ({ kind, accountId, settings }: OpenAttempt, grant: TokenGrant): GrantedLogin => ({ kind, accountId, grant, settings });
