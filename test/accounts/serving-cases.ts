// Who can serve, as cases for every place that answers this: the choice of the account, `/health`, the dashboard.
import { secret } from "../../src/lib/secret.ts";
import type { Account } from "../../src/accounts/account.ts";
import type { TokenAnswer } from "../../src/messages/tokens.ts";
import { aKey, anAccount, noon } from "./an-account.ts";
import { laterAnswer, refusedGrant } from "./an-engine.ts";

export type ServingCase = {
  readonly name: string;
  readonly accounts: readonly Account[];
  /** What the token endpoint answers to every refresh; null: new tokens. */
  readonly answer?: TokenAnswer;
  /** The account that every request uses. */
  readonly named?: string;
  /** Before the question: a refresh, one that follows a 401, or a request that is answered with this status. */
  readonly before?: "refresh" | "401" | { readonly status: number };
  readonly serves: boolean;
};

const ended = { expiresAt: noon - 1 } as const;
const refusedBefore = { lastError: "invalid_grant: Refresh token not found or invalid" } as const;
const other = (change: Partial<Account> = {}) => anAccount({ id: "bob", accessToken: secret("access-bob"), refreshToken: secret("refresh-bob"), ...change });

export const servingCases: readonly ServingCase[] = [
  { name: "no account", accounts: [], serves: false },
  { name: "a fresh token", accounts: [anAccount()], serves: true },
  { name: "a token without a known end", accounts: [anAccount({ expiresAt: null })], serves: true },
  { name: "a disabled account", accounts: [anAccount({ enabled: false })], serves: false },
  { name: "a disabled account beside one that serves", accounts: [anAccount({ enabled: false }), other()], serves: true },
  { name: "an ended token that can be refreshed", accounts: [anAccount(ended)], serves: true },
  { name: "an ended token without a refresh token", accounts: [anAccount({ ...ended, refreshToken: null })], serves: false },
  { name: "an ended token whose refresh failed a moment ago", accounts: [anAccount(ended)], answer: laterAnswer(), before: "refresh", serves: false },
  { name: "a living token whose refresh failed a moment ago", accounts: [anAccount()], answer: laterAnswer(), before: "refresh", serves: true },
  { name: "an ended token whose refresh was refused", accounts: [anAccount(ended)], answer: refusedGrant, before: "refresh", serves: false },
  { name: "a living token whose refresh was refused", accounts: [anAccount()], answer: refusedGrant, before: "refresh", serves: true },
  { name: "a living token that the upstream refuses and that cannot be had anew", accounts: [anAccount()], answer: refusedGrant, before: "401", serves: false },
  { name: "a living token whose refresh was refused in an earlier process", accounts: [anAccount(refusedBefore)], serves: true },
  { name: "an ended token whose refresh was refused in an earlier process", accounts: [anAccount({ ...ended, ...refusedBefore })], serves: false },
  { name: "an account at its limit", accounts: [anAccount()], before: { status: 429 }, serves: true },
  { name: "an API key", accounts: [aKey()], serves: true },
  { name: "an API key that has an expiry stored beside it", accounts: [aKey(ended)], serves: true },
  { name: "an API key that the upstream refuses", accounts: [aKey()], before: { status: 401 }, serves: true },
  { name: "a named account that serves", accounts: [anAccount(), other({ enabled: false })], named: "ada", serves: true },
  { name: "a named account that is disabled beside one that serves", accounts: [anAccount(), other({ enabled: false })], named: "bob", serves: false },
  { name: "a named account whose token has ended beside one that serves", accounts: [anAccount(), other({ ...ended, refreshToken: null })], named: "bob", serves: false },
  { name: "a named account that does not exist", accounts: [anAccount()], named: "eve", serves: false },
];
