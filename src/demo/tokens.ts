// Everything the simulated server has issued: authorization codes, tokens, API keys. As a real server would, it
// keeps only their digests. A grant is everything that grew out of one sign-in: it is revoked as a whole.
import { createHash } from "node:crypto";
import type { Clock } from "../lib/clock.ts";
import { base64url, type Random } from "../lib/random.ts";
import type { SimulatedUser } from "./users.ts";

/** What the authorize page agreed to. */
export type Consent = {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly challenge: string;
  readonly state: string;
  readonly scopes: readonly string[];
  readonly user: SimulatedUser;
};

type Grantee = Pick<Consent, "user" | "clientId" | "scopes">;
export type Grant = Grantee & { revoked: boolean };

/** Texts that are handed out once and never kept here. */
export type Issued = { readonly accessToken: string; readonly refreshToken: string; readonly expiresIn: number; readonly grant: Grant };

export type AccessCheck = { readonly live: true; readonly grant: Grant } | { readonly live: false; readonly why: "unknown" | "expired" | "revoked"; readonly grant: Grant | null };

/** `issue` spends the code. */
export type CodeCheck = { readonly ok: true; readonly consent: Consent; readonly issue: () => Issued } | { readonly ok: false };

type TokensDeps = { readonly clock: Clock; readonly random: Random; readonly accessTokenSeconds: number };

export type Tokens = ReturnType<typeof createTokens>;

const codeLifeMs = 600_000;

export const createTokens = ({ clock, random, accessTokenSeconds }: TokensDeps) => {
  const codes = new Map<string, { readonly consent: Consent; readonly expiresAt: number; grant: Grant | null }>();
  const accesses = new Map<string, { readonly grant: Grant; expiresAt: number }>();
  const refreshes = new Map<string, { readonly grant: Grant; spent: boolean }>();
  const keys = new Map<string, SimulatedUser>();
  // 71 bytes make a token of 108 characters, the length reported of real ones.
  const draw = (prefix: string): string => prefix + base64url(random(71));

  const issue = (grant: Grant, expiresIn = accessTokenSeconds): Issued => {
    const issued = { accessToken: draw("sk-ant-oat01-"), refreshToken: draw("sk-ant-ort01-"), expiresIn, grant };
    accesses.set(digest(issued.accessToken), { grant, expiresAt: clock.now() + expiresIn * 1000 });
    refreshes.set(digest(issued.refreshToken), { grant, spent: false });
    return issued;
  };

  return {
    addCode(consent: Consent): string {
      const text = base64url(random(32));
      codes.set(digest(text), { consent, expiresAt: clock.now() + codeLifeMs, grant: null });
      return text;
    },
    /** A code is for one use within ten minutes; a second use revokes what the first one gave (RFC 6749 section 4.1.2). */
    checkCode(text: string): CodeCheck {
      const code = codes.get(digest(text));
      if (code === undefined) return { ok: false };
      if (code.grant !== null) code.grant.revoked = true;
      if (code.grant !== null || clock.now() >= code.expiresAt) return { ok: false };
      const spend = (): Issued => {
        code.grant = begin(code.consent);
        return issue(code.grant);
      };
      return { ok: true, consent: code.consent, issue: spend };
    },
    /** Null when the token is unknown, revoked, of another client, or spent: the last revokes the grant. */
    rotate(text: string, client: string, accept: (grant: Grant) => boolean): Issued | "refused" | null {
      const refresh = refreshes.get(digest(text));
      if (refresh === undefined || refresh.grant.revoked || refresh.grant.clientId !== client) return null;
      if (refresh.spent) {
        refresh.grant.revoked = true;
        return null;
      }
      if (!accept(refresh.grant)) return "refused";
      refresh.spent = true;
      return issue(refresh.grant);
    },
    checkAccess(text: string): AccessCheck {
      const access = accesses.get(digest(text));
      if (access === undefined) return { live: false, why: "unknown", grant: null };
      const { grant } = access;
      if (grant.revoked) return { live: false, why: "revoked", grant };
      return clock.now() < access.expiresAt ? { live: true, grant } : { live: false, why: "expired", grant };
    },
    /** Ends the grant of an access or refresh token; unknown ones are no error (RFC 7009 section 2.2). */
    revoke(text: string): void {
      const grant = (accesses.get(digest(text)) ?? refreshes.get(digest(text)))?.grant;
      if (grant !== undefined) grant.revoked = true;
    },
    /** Tokens without the login pages. */
    issueFor: (grantee: Grantee, expiresIn?: number): Issued => issue(begin(grantee), expiresIn),
    addKey(user: SimulatedUser): string {
      const text = draw("sk-ant-api03-");
      keys.set(digest(text), user);
      return text;
    },
    /** Null when the key is unknown or revoked. */
    keyHolder: (text: string): SimulatedUser | null => keys.get(digest(text)) ?? null,
    expireAccess(): void {
      for (const access of accesses.values()) access.expiresAt = Number.NEGATIVE_INFINITY;
    },
    revokeAll(): void {
      for (const { grant } of [...accesses.values(), ...refreshes.values()]) grant.revoked = true;
      keys.clear();
    },
  };
};

const digest = (text: string): string => createHash("sha256").update(text).digest("base64url");

const begin = ({ user, clientId, scopes }: Grantee): Grant => ({ user, clientId, scopes, revoked: false });
