// One account as the registry holds it: the record, and what only this process knows about it. Mutable
// on purpose; read out as copies only.
import type { Clock } from "../lib/clock.ts";
import { sameText } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import type { AccountHealth } from "../messages/events.ts";
import type { Account } from "./account.ts";
import type { LimitReading } from "./limits.ts";

export type Cooling = { readonly until: number; readonly endsAt: number; readonly reason: string; readonly limited: boolean };

export type Held = {
  account: Account;
  /** Monotonic milliseconds at which the access token ends; null when it does not say. */
  endsAt: number | null;
  /** Until this monotonic moment the token is so new that only the monotonic clock is believed. */
  newUntil: number;
  cooling: Cooling | null;
  strikes: number;
  /** The words with which the credential was refused. */
  needsLogin: string | null;
  /** Access tokens this process has seen replaced: a file that still holds one is older than we are. */
  superseded: readonly Secret[];
  /** Its newest tokens are in memory only. */
  unsaved: boolean;
  readonly limits: Map<string, { readonly reading: LimitReading; readonly readAt: number }>;
};

/** A copy of what is known of one account. */
export type AccountEntry = {
  readonly account: Account;
  readonly health: AccountHealth;
  readonly cooling: Cooling | null;
  readonly needsLogin: string | null;
  /** There is a refresh token, and the server has not refused it. */
  readonly renewable: boolean;
  /** Milliseconds of life left by both clocks; null when the token does not say. */
  readonly remainingMs: number | null;
  /** Just obtained: a refresh would bring nothing. */
  readonly isNew: boolean;
};

/** No token is refreshed twice within this time, whatever the wall clock says. */
const settling = 60_000;

export const createHeld = (account: Account, clock: Clock): Held => ({
  account,
  endsAt: endOf(account, clock),
  newUntil: Number.NEGATIVE_INFINITY,
  cooling: null,
  strikes: 0,
  needsLogin: refusedBefore(account),
  superseded: [],
  unsaved: false,
  limits: new Map(),
});

/** Puts a record with other tokens in the place of the one held. */
export const renew = (held: Held, account: Account, clock: Clock): void => {
  // The same tokens may come twice: from the store that was just written, and from the one who wrote it.
  if (!sameSecret(held.account.accessToken, account.accessToken)) held.superseded = [...held.superseded, held.account.accessToken].slice(-16);
  held.account = account;
  held.endsAt = endOf(account, clock);
  held.newUntil = Number.NEGATIVE_INFINITY;
  held.needsLogin = null;
  held.strikes = 0;
};

/** Marks the held token as fresh from the token endpoint: half its life at most, one minute at most. */
export const markNew = (held: Held, clock: Clock): void => {
  const now = clock.monotonic();
  held.newUntil = now + Math.min(settling, (held.endsAt === null ? settling * 2 : held.endsAt - now) / 2);
};

/** The upstream does not take the access token any more, whatever its expiry says. */
export const endToken = (held: Held, clock: Clock): void => {
  if (held.account.kind === "oauth") held.endsAt = clock.monotonic();
  held.newUntil = Number.NEGATIVE_INFINITY;
};

export const isSuperseded = (held: Held | undefined, token: Secret): boolean =>
  held !== undefined && held.superseded.some((old) => sameSecret(old, token));

export const sameTokens = (left: Account, right: Account): boolean =>
  sameSecret(left.accessToken, right.accessToken) && sameSecret(left.refreshToken, right.refreshToken);

export const sameSecret = (left: Secret | null, right: Secret | null): boolean =>
  left === null || right === null ? left === right : left === right || sameText(left.reveal(), right.reveal());

export const entryOf = (held: Held, clock: Clock): AccountEntry => ({
  account: held.account,
  health: healthOf(held, clock),
  cooling: held.cooling,
  needsLogin: held.needsLogin,
  renewable: held.account.kind === "oauth" && held.account.refreshToken !== null && held.needsLogin === null,
  remainingMs: remainingOf(held, clock),
  isNew: clock.monotonic() < held.newUntil,
});

const healthOf = ({ account, needsLogin, cooling }: Held, clock: Clock): AccountHealth => {
  if (!account.enabled) return "disabled";
  if (needsLogin !== null) return "needs-login";
  if (cooling === null || cooling.endsAt <= clock.monotonic()) return "healthy";
  return cooling.limited ? "limited" : "cooling";
};

// The smaller of both clocks: after a suspend the wall clock is right, after it was set back the other one.
const remainingOf = ({ account, endsAt, newUntil }: Held, clock: Clock): number | null => {
  if (account.expiresAt === null || endsAt === null) return endsAt === null ? null : endsAt - clock.monotonic();
  const steady = endsAt - clock.monotonic();
  return clock.monotonic() < newUntil ? steady : Math.min(steady, account.expiresAt - clock.now());
};

// An API key does not end, even if an expiry was once stored beside it.
const endOf = ({ kind, expiresAt }: Account, clock: Clock): number | null =>
  kind === "api_key" || expiresAt === null ? null : clock.monotonic() + (expiresAt - clock.now());

// A refresh that was refused in an earlier process is not repeated in this one.
const refusedBefore = ({ kind, lastError }: Account): string | null =>
  kind === "oauth" && lastError !== null && /^(?:invalid_grant|outcome-unknown):/.test(lastError) ? lastError : null;
