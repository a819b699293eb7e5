// How an account looks from outside: names, times and health. Never a token, and no e-mail address for a
// caller who has not shown the key.
import { isoTime } from "../lib/units.ts";
import { isAccountId } from "../messages/commands.ts";
import type { AccountHealth } from "../messages/events.ts";
import { AppError } from "../messages/errors.ts";
import { viewLastRefresh } from "../state/refreshes.ts";
import type { RefreshView } from "../state/refreshes.ts";
import type { AccountRow } from "../state/state.ts";
import type { ApiDeps } from "./call.ts";

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

export type ViewDeps = Pick<ApiDeps, "store" | "clock" | "refreshLeadSeconds">;

/** `row` for a listing; `keyShown` false hides e-mail addresses. */
export const viewAccount = ({ store, clock, refreshLeadSeconds }: ViewDeps, row: AccountRow, keyShown = true): AccountView => {
  const shown = (text: string): string => (keyShown ? text : withoutEmail(text));
  // An API key has no expiry, even if one was once stored beside it.
  const expiresAt = row.kind === "api_key" ? null : row.expiresAt;
  const leftMs = expiresAt === null ? Number.POSITIVE_INFINITY : expiresAt - clock.now();
  return {
    id: shown(row.id),
    label: shown(row.label),
    kind: row.kind,
    health: row.health,
    expires_at: isoTime(expiresAt),
    is_expired: leftMs <= 0,
    needs_refresh: leftMs <= refreshLeadSeconds * 1000,
    last_error: row.lastError === null ? null : shown(row.lastError),
    last_refresh: viewLastRefresh(store.snapshot().refreshes, row.id),
  };
};

/** The account `id` after a change, or only its id while the state does not hold it yet. */
export const viewChanged = (deps: ViewDeps, id: string): AccountView | { readonly id: string } => {
  const row = deps.store.snapshot().accounts.find((account) => account.id === id);
  return row === undefined ? { id } : viewAccount(deps, row);
};

const withoutEmail = (text: string): string => text.replace(/[^\s@<>()"']{1,64}@[^\s@<>()"']{1,255}/g, "(hidden)");

/** `id` as given. Throws `bad-request` when it cannot be an account id. */
export const checkedId = (id: string): string => {
  if (isAccountId(id)) return id;
  throw new AppError({ code: "bad-request", message: "An account id is made of a-z, 0-9, dot, dash and underscore, at most 64 of them, and starts with a letter or digit." });
};
