// Can an account serve a request now? One rule for the choice of the account, `/health`, `doctor` and the dashboard. Pure.

/** Times are wall milliseconds. */
export type ServingFacts = {
  readonly enabled: boolean;
  /** The end of the access token; null: it does not end, or its end is not known (the upstream's 401 will say). */
  readonly expiresAt: number | null;
  /** A refresh may bring a new token: there is a refresh token, and the server has not refused it. */
  readonly renewable: boolean;
  /** No refresh is tried before this moment; null: one may be tried now. */
  readonly nextRefreshAt: number | null;
};

/**
 * True when a request gets a credential of this account, at once or after a refresh. An account at its limit serves too:
 * the client then sees the upstream's own answer. So does one that needs a new sign-in, as long as its token lives.
 */
export const canServe = ({ enabled, expiresAt, renewable, nextRefreshAt }: ServingFacts, now: number): boolean =>
  enabled && (expiresAt === null || expiresAt > now || (renewable && (nextRefreshAt === null || nextRefreshAt <= now)));
