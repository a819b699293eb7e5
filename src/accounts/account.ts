// What an account is inside the program, and what the program needs of the store. `storage` knows the file.
import { sameSecret } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import type { AccountKind } from "../messages/events.ts";
import type { Organization, Person } from "../messages/tokens.ts";

/** Where one account talks to, when it differs from the configuration. */
export type AccountEndpoints = {
  readonly baseUrl?: string;
  readonly tokenUrl?: string;
  readonly authorizeUrl?: string;
  readonly redirectUri?: string;
  readonly clientId?: string;
  readonly scopes?: string;
};

/** One credential with what is known of it. Times are wall milliseconds. */
export type Account = {
  /** `[a-z0-9][a-z0-9._-]{0,63}`; the key in the file and in every event. */
  readonly id: string;
  readonly providerId: string;
  readonly kind: AccountKind;
  readonly label: string;
  /** Bearer token, or the API key of an `api_key` account. */
  readonly accessToken: Secret;
  readonly refreshToken: Secret | null;
  /** Null: does not expire, or not known. */
  readonly expiresAt: number | null;
  readonly scopes: readonly string[];
  readonly organization: Organization | null;
  readonly account: Person | null;
  readonly enabled: boolean;
  /** Lower comes first. */
  readonly priority: number;
  readonly createdAt: number;
  readonly refreshedAt: number | null;
  readonly lastError: string | null;
  /** Present only when it was imported with it. */
  readonly enterpriseUrl?: string | null;
  readonly endpoints?: AccountEndpoints;
  /** Fields of the file that this version does not know: they survive a rewrite. */
  readonly unknown?: Readonly<Record<string, unknown>>;
};

export const sameTokens = (left: Account, right: Account): boolean =>
  sameSecret(left.accessToken, right.accessToken) && sameSecret(left.refreshToken, right.refreshToken);

/**
 * The store as `accounts` needs it; `storage/accounts-file.ts` is the real one.
 * `update` takes the lock, re-reads, applies `change` to what is on the disk now, and returns after
 * the result is durable. `change` must be synchronous and may return the map it was given.
 */
export type AccountStore = {
  load(): Promise<ReadonlyMap<string, Account>>;
  update(change: (current: ReadonlyMap<string, Account>) => ReadonlyMap<string, Account>): Promise<ReadonlyMap<string, Account>>;
  /** Runs `work` while this process alone may refresh `accountId`; waits for another holder first. */
  withRefreshLock<T>(accountId: string, work: (lock: RefreshLock) => Promise<T>): Promise<T>;
};

/** Held during a refresh. */
export type RefreshLock = {
  /** Pid of the process that held the lock when we came, null when it was free. */
  readonly waitedFor: number | null;
  /** False as soon as another process has taken the lock over (we were stopped for too long). */
  stillMine(): boolean;
};
