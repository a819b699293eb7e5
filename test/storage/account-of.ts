// An account for tests and for the programs of test/fixtures.
import type { Account } from "../../src/accounts/account.ts";
import { secret } from "../../src/lib/secret.ts";

/** Everything about it can be set; the rest is plausible. */
export const accountOf = (id: string, more: Partial<Account> = {}): Account => ({
  id, providerId: "anthropic", kind: "oauth", label: id, accessToken: secret(`access-${id}`), refreshToken: secret(`refresh-${id}`),
  expiresAt: Date.UTC(2026, 0, 2), scopes: ["user:inference"], organization: null, account: null, enabled: true, priority: 0,
  createdAt: Date.UTC(2026, 0, 1), refreshedAt: null, lastError: null, ...more,
});
