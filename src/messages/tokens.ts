// What the token endpoint gives, between the part that speaks OAuth and the part that keeps accounts.
import type { Secret } from "../lib/secret.ts";

export type Organization = { readonly uuid: string; readonly name: string };
export type Person = { readonly uuid: string; readonly emailAddress: string | null };

/** A successful token response (RFC 6749 section 5.1). Times are wall milliseconds. */
export type TokenGrant = {
  readonly accessToken: Secret;
  /** Null when the answer had none: the old one stays valid. */
  readonly refreshToken: Secret | null;
  readonly expiresAt: number | null;
  /** Null when the answer did not say: those asked for. */
  readonly scopes: readonly string[] | null;
  readonly organization: Organization | null;
  readonly account: Person | null;
};

/**
 * Every way a call of the token endpoint can end.
 * `refused` is final (RFC 6749 section 5.2: `invalid_grant` …); `later` was certainly not executed, or
 * answered 429/5xx/not JSON; `unknown` was sent but its answer was lost, so a single-use refresh token
 * may or may not be spent.
 */
export type TokenAnswer =
  | { readonly outcome: "granted"; readonly grant: TokenGrant }
  | { readonly outcome: "refused"; readonly errorCode: string; readonly message: string; readonly status: number }
  | { readonly outcome: "later"; readonly errorCode: string; readonly message: string; readonly status: number | null; readonly retryAfterMs: number | null }
  | { readonly outcome: "unknown"; readonly errorCode: string; readonly message: string };
