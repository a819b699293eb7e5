// What the header and the accounts pane say of one account's token: the word, the time left, what
// happens next.
import { tokenState } from "../../state/select.ts";
import type { TokenState } from "../../state/select.ts";
import type { AccountRow } from "../../state/state.ts";
import { clockMinute, span } from "../../state/words.ts";
import { segment } from "../theme.ts";
import type { Segment, Tone } from "../theme.ts";

const words: Readonly<Record<TokenState, readonly [string, Tone]>> = {
  ok: ["TOKEN OK", "good"],
  expiring: ["TOKEN EXPIRING", "warning"],
  expired: ["TOKEN EXPIRED", "error"],
  refreshing: ["TOKEN REFRESHING", "accent"],
  "refresh-failed": ["REFRESH FAILED", "error"],
  "needs-login": ["SIGN IN AGAIN", "error"],
  key: ["API KEY", "good"],
  disabled: ["DISABLED", "dim"],
};

/** The word for the token, in its tone. */
export const tokenWord = (account: AccountRow, now: number): Segment => {
  const [text, tone] = words[tokenState(account, now)];
  return segment(text, tone);
};

/** A short word for tables: `ok 4h12m`, `expired`, `sign in`. */
export const tokenShort = (account: AccountRow, now: number): Segment => {
  const state = tokenState(account, now);
  const left = account.expiresAt === null ? "" : ` ${timeLeft(account.expiresAt, now)}`;
  if (state === "ok" || state === "expiring" || state === "refresh-failed") return segment(`${state === "refresh-failed" ? "failed" : state}${left}`, words[state][1]);
  return segment({ expired: "expired", refreshing: "refreshing", "needs-login": "sign in", key: "key", disabled: "disabled" }[state], words[state][1]);
};

/** `expires in 4h12m at 21:42`; empty when it does not expire. */
export const expiryText = (account: AccountRow, now: number): string =>
  account.expiresAt === null || account.expiresAt <= now ? "" : `expires in ${timeLeft(account.expiresAt, now)} at ${clockMinute(account.expiresAt, now)}`;

/** Seconds only in the last ten minutes: a countdown that moves every second costs a frame every second. */
export const timeLeft = (at: number, now: number): string => {
  const left = at - now;
  if (left < 10 * 60_000) return span(left);
  return left < 3_600_000 ? `${Math.floor(left / 60_000)}m` : span(left);
};

/** When the automatic refresh will run: `refresh in 1m`; empty when there is nothing to refresh. */
export const refreshText = (account: AccountRow, now: number, leadMs: number): string => {
  if (account.kind === "api_key" || account.expiresAt === null || account.refreshing) return "";
  const at = account.nextRefreshAt ?? account.expiresAt - leadMs;
  return at <= now ? "refresh due" : `refresh in ${timeLeft(at, now)}`;
};

/** A bar of what is left of the token's life, `[######----]`; the life is taken as eight hours when its start is not known. */
export const lifeBar = (account: AccountRow, now: number, width: number): string => {
  if (account.expiresAt === null) return "";
  const from = account.refreshedAt ?? account.expiresAt - 8 * 3_600_000;
  const share = Math.min(1, Math.max(0, (account.expiresAt - now) / Math.max(1, account.expiresAt - from)));
  const full = Math.round(share * width);
  return `[${"#".repeat(full)}${"-".repeat(width - full)}]`;
};
