// Puts a new credential in: from a sign-in, or an API key. The same person and organisation signing in
// again renew the account they had. Nothing granted is lost: what cannot be stored now is kept in memory.
import type { Clock } from "../lib/clock.ts";
import type { Secret } from "../lib/secret.ts";
import { AppError } from "../messages/errors.ts";
import type { TokenGrant } from "../messages/tokens.ts";
import type { Account, AccountEndpoints } from "./account.ts";
import { sameSecret } from "./held.ts";
import type { Keeper } from "./keeper.ts";
import type { Registry } from "./registry.ts";

export type NewLogin = {
  readonly grant: TokenGrant;
  /** The account to renew, or the name of a new one; null: found by the person, else invented. */
  readonly accountId: string | null;
  /** Those asked for, in case the answer did not say. */
  readonly scopes: readonly string[];
  readonly endpoints?: AccountEndpoints;
};

export type NewKey = { readonly key: Secret; readonly accountId: string | null; readonly label: string | null };

export type SignedIn = { readonly accountId: string; readonly expiresAt: number | null };

export type SignIn = {
  keepLogin(login: NewLogin): Promise<SignedIn>;
  keepKey(wish: NewKey): Promise<SignedIn>;
};

export type SignInDeps = { readonly clock: Clock; readonly registry: Registry; readonly keeper: Keeper };

/** Both methods throw `AppError` `bad-request` for a name that cannot be one. */
export const createSignIn = ({ clock, registry, keeper }: SignInDeps): SignIn => {
  const known = (): readonly Account[] => registry.list().map(({ account }) => account);
  const put = async (next: Account): Promise<SignedIn> => {
    const kept = await keeper.keep({ base: null, next });
    registry.put(kept.kept === "stored" ? kept.account : next);
    registry.markUnsaved(next.id, keeper.isPending(next.id));
    return { accountId: next.id, expiresAt: next.expiresAt };
  };
  return {
    async keepLogin({ grant, accountId, scopes, endpoints }) {
      const same = known().find((account) => account.kind === "oauth" && isSamePerson(account, grant));
      const id = checked(accountId ?? same?.id ?? freeId("claude", known()));
      const frame = frameOf(id, known(), clock.now());
      const { accessToken, refreshToken, expiresAt, organization, account } = grant;
      const tokens = { accessToken, refreshToken, expiresAt, refreshedAt: clock.now(), scopes: grant.scopes ?? scopes };
      return put({ ...frame, ...tokens, kind: "oauth", organization, account, ...(endpoints === undefined ? {} : { endpoints }) });
    },
    async keepKey({ key, accountId, label }) {
      const same = known().find((account) => account.kind === "api_key" && sameSecret(account.accessToken, key));
      const id = checked(accountId ?? same?.id ?? freeId("api-key", known()));
      const frame = frameOf(id, known(), clock.now());
      return put({ ...frame, kind: "api_key", label: label ?? frame.label, accessToken: key, refreshToken: null, expiresAt: null, refreshedAt: null });
    },
  };
};

/** `storage` accepts the same names. */
const checked = (id: string): string => {
  if (/^[a-z0-9][a-z0-9._-]{0,63}$/.test(id)) return id;
  throw new AppError({ code: "bad-request", message: "This is not a name for an account.", hint: "Use up to 64 lower-case letters, digits, dots, dashes or underlines." });
};

const freeId = (stem: string, known: readonly Account[]): string => {
  const taken = new Set(known.map(({ id }) => id));
  if (!taken.has(stem)) return stem;
  for (let number = 2; ; number += 1) if (!taken.has(`${stem}-${number}`)) return `${stem}-${number}`;
};

const isSamePerson = (account: Account, grant: TokenGrant): boolean =>
  grant.account !== null && account.account?.uuid === grant.account.uuid && account.organization?.uuid === grant.organization?.uuid;

/** What a new credential leaves as it was: name, label, priority, and the fields of the file we do not know. */
const frameOf = (id: string, known: readonly Account[], now: number): Omit<Account, "kind" | "accessToken" | "refreshToken" | "expiresAt" | "refreshedAt"> => ({
  providerId: id,
  label: id,
  scopes: [],
  organization: null,
  account: null,
  priority: 0,
  createdAt: now,
  ...known.find((account) => account.id === id),
  id,
  enabled: true,
  lastError: null,
});
