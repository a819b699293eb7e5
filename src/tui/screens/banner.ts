// The one thing that is wrong and matters most: what, since when, which key helps. It takes the place of
// the account's line; while any account can serve, the others' troubles stay in their pane.
import { clockTime, span } from "../../lib/units.ts";
import { canServe, leadingAccount, tokenState } from "../../state/select.ts";
import type { AccountRow } from "../../state/state.ts";
import { timeLeft } from "../panes/accounts.ts";
import { safe } from "../text.ts";
import { alertLine } from "../theme.ts";
import type { Line } from "../theme.ts";
import type { View } from "../view.ts";

type Parts = Pick<View, "live" | "now" | "glyphs" | "about">;

/** The banner; null while all is well. */
export const bannerOf = (parts: Parts): Line | null => {
  const { live, now } = parts;
  if (live.server.status === "starting" || live.server.status === "stopped") return null;
  const account = leadingAccount(live.accounts, now);
  return (live.server.mode === "pass-through" ? null : accountBanner(account, parts)) ?? upstreamBanner(account, parts) ?? refreshBanner(account, parts) ?? noticeBanner(parts);
};

const accountBanner = (account: AccountRow | null, { now, glyphs }: Parts): Line | null => {
  if (account === null) return alertLine("error", "NO ACCOUNT: sign in. Press l.");
  const state = tokenState(account, now);
  if (canServe(account, now) && state !== "needs-login") return null;
  if (state === "disabled") return alertLine("error", "EVERY ACCOUNT IS DISABLED. Press 3, then d to enable one.");
  if (state === "expired") return alertLine("error", `TOKEN EXPIRED ${span(now - (account.expiresAt ?? now))} ago: press r to refresh, l to sign in.${because(account, glyphs)}`);
  const failed = account.refreshFailures > 0 ? `REFRESH FAILED ${account.refreshFailures}x` : "SIGNED OUT";
  return alertLine("error", `${failed}: sign in again. Press l.${leftText(account, now)}${because(account, glyphs)}`);
};

const upstreamBanner = (account: AccountRow | null, { live: { upstream }, now, glyphs, about }: Parts): Line | null => {
  if (upstream.failingSince === null) return null;
  const token = account === null || account.expiresAt === null ? "" : ` Token ok ${timeLeft(account.expiresAt, now)}.`;
  return alertLine("warning", `UPSTREAM ${safe(about.upstream, glyphs)} ${safe(upstream.code ?? "", glyphs)} x${upstream.failures} since ${clockTime(upstream.failingSince)}.${token}`, "error");
};

const refreshBanner = (account: AccountRow | null, { now, glyphs }: Parts): Line | null => {
  if (account === null || tokenState(account, now) !== "refresh-failed") return null;
  const next = account.nextRefreshAt === null ? "" : ` Next try in ${span(account.nextRefreshAt - now)}.`;
  return alertLine("error", `REFRESH FAILED ${account.refreshFailures}x: press r to try now, l to sign in.${next}${leftText(account, now)}${because(account, glyphs)}`);
};

// A failure that belongs to no account and to no request, such as a full disk.
const noticeBanner = ({ live: { activity }, now, glyphs }: Parts): Line | null => {
  const last = activity.findLast(({ type, tone, at }) => type === "notice" && tone === "error" && at > now - 5 * 60_000);
  return last === undefined ? null : alertLine("warning", safe(last.text, glyphs), "error");
};

const leftText = ({ expiresAt }: AccountRow, now: number): string => (expiresAt === null || expiresAt <= now ? "" : ` Expires in ${timeLeft(expiresAt, now)}.`);
const because = ({ lastError }: AccountRow, glyphs: Parts["glyphs"]): string => (lastError === null ? "" : ` (${safe(lastError, glyphs)})`);
