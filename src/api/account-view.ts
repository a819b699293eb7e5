// How an account looks from outside: names, times and health. Never a token, and no e-mail address for
// somebody who has not shown the key.
import { isoTime } from "../lib/iso-time.ts";
import type { AccountHealth } from "../messages/events.ts";
import { viewLastRefresh } from "../state/refresh-view.ts";
import type { RefreshView } from "../state/refresh-view.ts";
import type { AccountRow, AppState } from "../state/state.ts";

/** One account in `/health`, and the stem of the other listings. Times are ISO 8601 in UTC. */
export type AccountView = {
  readonly id: string;
  readonly label: string;
  readonly kind: "oauth" | "api_key";
  readonly health: AccountHealth;
  /** Null: does not expire, or not known. */
  readonly expires_at: string | null;
  readonly is_expired: boolean;
  /** Inside the time in which it is refreshed ahead, or past its expiry. */
  readonly needs_refresh: boolean;
  readonly last_error: string | null;
  /** The newest line of the refresh timeline, of an earlier process too; null when there is none. */
  readonly last_refresh: RefreshView | null;
};

export type ViewOptions = { readonly refreshes: AppState["refreshes"]; readonly now: number; readonly refreshLeadSeconds: number; readonly keyShown: boolean };

/** `row` for a listing. */
export const viewAccount = (row: AccountRow, { refreshes, now, refreshLeadSeconds, keyShown }: ViewOptions): AccountView => {
  // An API key has no expiry, whatever was once stored beside it.
  const expiresAt = row.kind === "api_key" ? null : row.expiresAt;
  const shown = (text: string): string => (keyShown ? text : withoutEmail(text));
  return {
    id: shown(row.id),
    label: shown(row.label),
    kind: row.kind,
    health: row.health,
    expires_at: isoTime(expiresAt),
    is_expired: expiresAt !== null && expiresAt <= now,
    needs_refresh: expiresAt !== null && expiresAt - now <= refreshLeadSeconds * 1000,
    last_error: row.lastError === null ? null : shown(row.lastError),
    last_refresh: viewLastRefresh(refreshes, row.id),
  };
};

/** True when at least one account holds a usable credential: one at a limit does. */
export const canServe = (accounts: readonly AccountRow[]): boolean =>
  accounts.some(({ health }) => health === "healthy" || health === "cooling" || health === "limited");

const withoutEmail = (text: string): string => text.replace(/[^\s@<>()"']{1,64}@[^\s@<>()"']{1,255}/g, "(hidden)");
