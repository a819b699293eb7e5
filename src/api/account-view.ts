// How an account looks from outside: names, times and health. Never a token; and no text that a person or a server wrote
// for a caller who has not shown the key.
import { isoTime } from "../lib/units.ts";
import { isAccountId } from "../messages/commands.ts";
import type { AccountHealth } from "../messages/events.ts";
import { AppError, meanings } from "../messages/errors.ts";
import type { RefreshFact } from "../messages/refresh-fact.ts";
import { lastRefreshOf, viewLastRefresh } from "../state/refreshes.ts";
import type { RefreshView } from "../state/refreshes.ts";
import type { AccountRow } from "../state/state.ts";
import type { ApiDeps } from "./call.ts";

/** One account in `/health`, and the stem of the other listings. Times are ISO 8601 in UTC. */
export type AccountView = {
  readonly id: string;
  /** Null without the key. */
  readonly label: string | null;
  readonly kind: "oauth" | "api_key";
  readonly health: AccountHealth;
  /** Null: does not expire, or not known. */
  readonly expires_at: string | null;
  readonly is_expired: boolean;
  /** Inside the time in which it is refreshed ahead, or past its expiry. */
  readonly needs_refresh: boolean;
  /** A sentence; without the key a code. */
  readonly last_error: string | null;
  /** The newest line of the refresh timeline, of an earlier process too; null when there is none. */
  readonly last_refresh: RefreshView | null;
};

export type ViewDeps = Pick<ApiDeps, "store" | "clock" | "refreshLeadSeconds">;

/** `row` for a listing; `keyShown` false leaves out the label and the words of a failure. */
export const viewAccount = ({ store, clock, refreshLeadSeconds }: ViewDeps, row: AccountRow, keyShown = true): AccountView => {
  const { refreshes } = store.snapshot();
  // An API key has no expiry, even if one was once stored beside it.
  const expiresAt = row.kind === "api_key" ? null : row.expiresAt;
  const leftMs = expiresAt === null ? Number.POSITIVE_INFINITY : expiresAt - clock.now();
  return {
    id: row.id,
    label: keyShown ? row.label : null,
    kind: row.kind,
    health: row.health,
    expires_at: isoTime(expiresAt),
    is_expired: leftMs <= 0,
    needs_refresh: leftMs <= refreshLeadSeconds * 1000,
    last_error: row.lastError === null || keyShown ? row.lastError : errorCodeOf(row.lastError, lastRefreshOf(refreshes, row.id)),
    last_refresh: viewLastRefresh(refreshes, row.id),
  };
};

/** The account `id` after a change, or only its id while the state does not hold it yet. */
export const viewChanged = (deps: ViewDeps, id: string): AccountView | { readonly id: string } => {
  const row = deps.store.snapshot().accounts.find((account) => account.id === id);
  return row === undefined ? { id } : viewAccount(deps, row);
};

// RFC 6749 sections 4.1.2.1 and 5.2, the types of the Messages API, Node's codes of a failed connection, and our own.
const otherCodes = new Set([
  "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "access_denied",
  "server_error", "temporarily_unavailable", "invalid_request_error", "authentication_error", "permission_error", "not_found_error",
  "rate_limit_error", "api_error", "overloaded_error", "timeout_error", "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "ENETUNREACH",
  "ENOTFOUND", "EAI_AGAIN", "EPIPE", "ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT", "UND_ERR_SOCKET", "no-refresh-token", "outcome-unknown",
  "insecure-url", "timeout", "unreadable-answer",
]);

/** The code of a failure. A word that is none of the known codes is a server's own and stands for nothing here. */
const errorCodeOf = (lastError: string, last: RefreshFact | null): string => {
  const [first = ""] = lastError.split(":", 1);
  const code = last?.errorCode ?? first;
  return otherCodes.has(code) || Object.hasOwn(meanings, code) || /^http-\d{3}$/.test(code) ? code : "other";
};

/** `id` as given. Throws `bad-request` when it cannot be an account id. */
export const checkedId = (id: string): string => {
  if (isAccountId(id)) return id;
  throw new AppError({ code: "bad-request", message: "An account id is made of a-z, 0-9, dot, dash and underscore, at most 64 of them, and starts with a letter or digit." });
};
