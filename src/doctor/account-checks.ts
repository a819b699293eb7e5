// The accounts, one line each: from the running proxy when it is ours, else from the file. Pure.
import type { AccountLook, FolderLook } from "../app/look-at-folder.ts";
import type { HealthAccount, Running } from "../cli/running.ts";
import { ok, problem, warning } from "./finding.ts";
import type { Finding } from "./finding.ts";

export type AccountsWish = { readonly mode: string; readonly running: Running; readonly look: FolderLook; readonly now: number };

type Seen = Omit<AccountLook, "renewable"> & { readonly renewable: boolean | null };

/** In pass-through mode there is nothing to check: the client keeps its own login. */
export const accountChecks = ({ mode, running, look, now }: AccountsWish): readonly Finding[] => {
  if (mode === "pass-through") return [ok("accounts", "pass-through mode: the client keeps its own login")];
  const seen = running.is === "ours" ? running.health.accounts.map(fromHealth) : look.accounts;
  if (seen === null) return [warning("accounts", "not visible: see accounts.json above", "`claude-oauth-proxy accounts list` opens a sealed file.")];
  if (seen.length === 0) return [warning("accounts", "none", "Sign in: claude-oauth-proxy login")];
  const findings = seen.map((account) => accountCheck(account, now));
  // One account that cannot serve is no problem while another one can.
  const canServe = seen.some((account) => !isEnded(account, now) && account.health !== "disabled");
  return canServe ? findings : [...findings, problem("accounts", "none of them can serve", "Sign in: claude-oauth-proxy login")];
};

const fromHealth = ({ id, kind, health, expires_at, last_error }: HealthAccount): Seen => ({
  id,
  kind,
  health: health as AccountLook["health"],
  expiresAt: expires_at === null ? null : Date.parse(expires_at),
  renewable: null,
  lastError: last_error,
});

const isEnded = ({ health, expiresAt, renewable }: Seen, now: number): boolean =>
  health === "needs-login" || (renewable === false && expiresAt !== null && expiresAt <= now);

const accountCheck = (account: Seen, now: number): Finding => {
  const name = `account ${account.id}`;
  const error = account.lastError === null ? "" : `; last error: ${account.lastError}`;
  const found = `${account.kind}, ${account.health}, ${expiry(account, now)}${error}`;
  if (account.health === "disabled") return warning(name, found, `claude-oauth-proxy accounts enable ${account.id}`);
  if (isEnded(account, now)) return warning(name, found, `Sign in again: claude-oauth-proxy login --account ${account.id}`);
  if (account.lastError !== null) return warning(name, found, `claude-oauth-proxy refresh ${account.id} tries it again.`);
  return ok(name, found);
};

const expiry = ({ kind, expiresAt, renewable }: Seen, now: number): string => {
  if (expiresAt === null) return kind === "api_key" ? "no expiry" : "expiry unknown";
  if (expiresAt > now) return `token for ${span(expiresAt - now)}${renewable === false ? ", cannot be refreshed" : ""}`;
  return `token expired ${span(now - expiresAt)} ago${renewable === false ? ", cannot be refreshed" : ", refreshed at the next start"}`;
};

/** `3h12m`, `4d2h`, `55s`. */
export const span = (ms: number): string => {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h${Math.floor((seconds % 3600) / 60)}m`;
  return `${Math.floor(seconds / 86_400)}d${Math.floor((seconds % 86_400) / 3600)}h`;
};
