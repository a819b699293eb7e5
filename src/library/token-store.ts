// The credentials file for programs: the same file, locks and seal as the proxy's, so that both may use it
// at the same time. Nothing is opened before the first call.
import type { Account } from "../accounts/account.ts";
import { checkAccountId } from "../app/stored-account.ts";
import { openDataFolder } from "../app/data-folder.ts";
import type { DataFolder } from "../app/data-folder.ts";
import type { CoreOptions } from "../app/core.ts";
import { createSystemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import type { Secret } from "../lib/secret.ts";
import { coreOptionsFor, whileAwake } from "./options.ts";
import type { LibraryOptions } from "./options.ts";

/** A credential of the store. Secrets print as stars; `reveal()` gives the text. */
export type StoredToken = Pick<Account, "id" | "providerId" | "kind" | "label" | "scopes" | "accessToken" | "refreshToken"> & {
  /** Wall milliseconds; null: does not expire, or not known. */
  readonly expiresAt: number | null;
  readonly isExpired: boolean;
  /** Inside the time in which it is refreshed ahead (`oauth.refreshLeadSeconds`), or past its expiry. */
  readonly needsRefresh: boolean;
};

export type NewToken = {
  readonly id: string;
  readonly accessToken: Secret;
  readonly refreshToken?: Secret | null;
  readonly expiresAt?: number | null;
  readonly scopes?: readonly string[];
  /** `oauth` unless said otherwise. */
  readonly kind?: Account["kind"];
  readonly label?: string;
};

type Opened = { readonly options: CoreOptions; readonly folder: DataFolder };

/** Reads and writes credentials safely: under a lock, synced to the disk, 0600, with a backup, sealed if that is set. */
export class TokenStore {
  readonly #options: LibraryOptions;
  #opened: Promise<Opened> | null = null;

  /** Touches nothing. */
  constructor(options: LibraryOptions = {}) {
    this.#options = options;
  }

  /** What the store is opened with; for `OAuthClient`. Throws `AppError` `bad-config`. */
  async coreOptions(): Promise<CoreOptions> {
    return (await this.#open()).options;
  }

  /** Every account, in the order of the file. Throws `AppError` (`store-…`). */
  async list(): Promise<readonly StoredToken[]> {
    return whileAwake(async () => {
      const { options, folder } = await this.#open();
      return [...(await folder.accounts.load()).values()].map((account) => tokenOf(account, options));
    });
  }

  /** Null when there is no such account. Throws `AppError` (`store-…`). */
  async get(id: string): Promise<StoredToken | null> {
    return (await this.list()).find((token) => token.id === id) ?? null;
  }

  /** Adds an account, or replaces its credential and leaves the rest; durable when it resolves. Throws `AppError`. */
  async save(token: NewToken): Promise<void> {
    checkAccountId(token.id);
    await whileAwake(async () => {
      const { folder } = await this.#open();
      await folder.accounts.update((current) => new Map(current).set(token.id, merged(current.get(token.id), token)));
    });
  }

  /** False when there was none. The server does not hear of it; `OAuthClient.signOut` revokes there too. Throws `AppError` (`store-…`). */
  async remove(id: string): Promise<boolean> {
    return whileAwake(async () => {
      const { folder } = await this.#open();
      let removed = false;
      await folder.accounts.update((current) => {
        removed = current.has(id);
        return new Map([...current].filter(([known]) => known !== id));
      });
      return removed;
    });
  }

  #open(): Promise<Opened> {
    this.#opened ??= coreOptionsFor(this.#options).then((options) => ({
      options,
      folder: openDataFolder(options, { clock: createSystemClock(), random: systemRandom, publish: () => {}, hide: () => {} }),
    }));
    return this.#opened;
  }
}

/** `account` as a program sees it. */
export const tokenOf = (account: Account, { config }: Pick<CoreOptions, "config">): StoredToken => {
  const { id, providerId, kind, label, scopes, accessToken, refreshToken } = account;
  const expiresAt = kind === "api_key" ? null : account.expiresAt;
  const leftMs = expiresAt === null ? Number.POSITIVE_INFINITY : expiresAt - Date.now();
  const needsRefresh = leftMs <= config.oauth.refreshLeadSeconds * 1000;
  return { id, providerId, kind, label, scopes, accessToken, refreshToken, expiresAt, isExpired: leftMs <= 0, needsRefresh };
};

const blank = (id: string) => ({
  id, providerId: id, label: id, kind: "oauth" as const, scopes: [], organization: null, account: null,
  enabled: true, priority: 1, createdAt: Date.now(), refreshedAt: null,
});

const merged = (before: Account | undefined, { refreshToken = null, expiresAt = null, ...token }: NewToken): Account => ({
  ...(before ?? blank(token.id)),
  ...token,
  refreshToken,
  expiresAt,
  lastError: null,
});
