// An account for tests: an OAuth one with an hour to live, unless told otherwise.
import type { Account } from "../../src/accounts/account.ts";
import { secret } from "../../src/lib/secret.ts";

/** The fake clock's first moment. */
export const noon = Date.UTC(2026, 0, 2, 12, 0, 0);
export const minute = 60_000;
export const hour = 60 * minute;

export const anAccount = (change: Partial<Account> = {}): Account => ({
  id: "ada",
  providerId: "ada",
  kind: "oauth",
  label: "Ada",
  accessToken: secret("access-0"),
  refreshToken: secret("refresh-0"),
  expiresAt: noon + hour,
  scopes: ["user:inference"],
  organization: null,
  account: null,
  enabled: true,
  priority: 0,
  createdAt: noon - 24 * hour,
  refreshedAt: null,
  lastError: null,
  ...change,
});

export const aKey = (change: Partial<Account> = {}): Account =>
  anAccount({ id: "key", kind: "api_key", accessToken: secret("sk-ant-api03-key"), refreshToken: null, expiresAt: null, ...change });

export const accountsOf = (...accounts: readonly Account[]): Map<string, Account> => new Map(accounts.map((account) => [account.id, account]));
