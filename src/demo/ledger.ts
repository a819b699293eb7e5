// Tokens that the simulated server has given out. As a real one would, it keeps their digests only.
// A chain is everything that grew out of one sign-in: it lives and dies as a whole.
import { createHash } from "node:crypto";
import type { Clock } from "../lib/clock.ts";
import { base64url, type Random } from "../lib/random.ts";
import { createCodes } from "./code-ledger.ts";
import { createKeys } from "./key-ledger.ts";
import type { SimulatedPerson } from "./people.ts";

/** What the authorize page agreed to. */
export type Consent = {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly challenge: string;
  readonly state: string;
  readonly scopes: readonly string[];
  readonly person: SimulatedPerson;
};

export type Grantee = Pick<Consent, "person" | "clientId" | "scopes">;
export type Chain = Grantee & { revoked: boolean };

/** Texts that leave the ledger once and are never kept by it. */
export type Issued = { readonly accessToken: string; readonly refreshToken: string; readonly expiresIn: number; readonly chain: Chain };

export type AccessCheck = { readonly live: true; readonly chain: Chain } | { readonly live: false; readonly why: "unknown" | "expired" | "revoked"; readonly chain: Chain | null };

export type LedgerDeps = { readonly clock: Clock; readonly random: Random; readonly accessTokenSeconds: number };

export type Ledger = ReturnType<typeof createLedger>;

export const digest = (text: string): string => createHash("sha256").update(text).digest("base64url");

const createTokens = (deps: LedgerDeps) => {
  const accesses = new Map<string, { readonly chain: Chain; expiresAt: number }>();
  const refreshes = new Map<string, { readonly chain: Chain; spent: boolean }>();
  // 71 bytes make a token of 108 characters, the length reported of real ones.
  const draw = (prefix: string): string => prefix + base64url(deps.random(71));

  const issue = (chain: Chain, expiresIn = deps.accessTokenSeconds): Issued => {
    const issued = { accessToken: draw("sk-ant-oat01-"), refreshToken: draw("sk-ant-ort01-"), expiresIn, chain };
    accesses.set(digest(issued.accessToken), { chain, expiresAt: deps.clock.now() + expiresIn * 1000 });
    refreshes.set(digest(issued.refreshToken), { chain, spent: false });
    return issued;
  };

  /** Null when the token is unknown, revoked, of another client, or spent: the last revokes the chain. */
  const rotate = (text: string, client: string, accept: (chain: Chain) => boolean): Issued | "refused" | null => {
    const refresh = refreshes.get(digest(text));
    if (refresh === undefined || refresh.chain.revoked || refresh.chain.clientId !== client) return null;
    if (refresh.spent) {
      refresh.chain.revoked = true;
      return null;
    }
    if (!accept(refresh.chain)) return "refused";
    refresh.spent = true;
    return issue(refresh.chain);
  };

  const checkAccess = (text: string): AccessCheck => {
    const access = accesses.get(digest(text));
    if (access === undefined) return { live: false, why: "unknown", chain: null };
    const { chain } = access;
    if (chain.revoked) return { live: false, why: "revoked", chain };
    return deps.clock.now() < access.expiresAt ? { live: true, chain } : { live: false, why: "expired", chain };
  };

  /** Ends the chain of an access or refresh token; unknown ones are no error (RFC 7009 section 2.2). */
  const revoke = (text: string): void => {
    const chain = (accesses.get(digest(text)) ?? refreshes.get(digest(text)))?.chain;
    if (chain !== undefined) chain.revoked = true;
  };

  const everyChain = () => new Set([...accesses.values(), ...refreshes.values()].map(({ chain }) => chain));
  const everyAccess = () => accesses.values();
  return { issue, rotate, checkAccess, revoke, everyChain, everyAccess };
};

const start = ({ person, clientId, scopes }: Grantee): Chain => ({ person, clientId, scopes, revoked: false });

/** Everything issued by one simulated server. */
export const createLedger = (deps: LedgerDeps) => {
  const { issue, rotate, checkAccess, revoke, everyChain, everyAccess } = createTokens(deps);
  const codes = createCodes(deps, { start, issue });
  const keys = createKeys(deps);
  return {
    rotate,
    checkAccess,
    revoke,
    addCode: codes.add,
    checkCode: codes.check,
    addKey: keys.add,
    keyHolder: keys.holder,
    /** A first grant without the login pages. */
    issueFor: (grantee: Grantee, expiresIn?: number): Issued => issue(start(grantee), expiresIn),
    expireAccess(): void {
      for (const access of everyAccess()) access.expiresAt = Number.NEGATIVE_INFINITY;
    },
    revokeAll(): void {
      for (const chain of everyChain()) chain.revoked = true;
      keys.revokeAll();
    },
  };
};
