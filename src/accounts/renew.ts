// After the upstream answered 401: a newer token if there is one, else one refresh. Never a second one for
// a token that such a refresh has just brought: then the 401 is not about the token.
import type { Credential, CredentialOutcome } from "./credential.ts";
import type { CredentialsDeps } from "./credentials.ts";
import { credentialOf } from "./credentials.ts";
import { sameSecret } from "./held.ts";
import type { Secret } from "../lib/secret.ts";

type Brought = { readonly token: Secret; readonly at: number };

const noSecondWithinMs = 60_000;

export type Renew = {
  /** The method `renew` of `Credentials`. A refusal means: give the client the 401. */
  renew(used: Credential): Promise<CredentialOutcome>;
  /** Its token was brought by such a refresh a moment ago. */
  wasJustBrought(used: Credential): boolean;
};

export const createRenew = ({ clock, registry, refresher }: CredentialsDeps): Renew => {
  const brought = new Map<string, Brought>();

  const current = (used: Credential): CredentialOutcome => {
    const entry = registry.get(used.accountId);
    if (entry === null) return refusal("The account was removed.");
    if (sameSecret(entry.account.accessToken, used.token)) return refusal("The upstream does not accept the token.");
    return { ok: true, credential: credentialOf(entry.account, used.reason) };
  };

  const wasJustBrought = (used: Credential): boolean => {
    const before = brought.get(used.accountId);
    return before !== undefined && sameSecret(before.token, used.token) && clock.monotonic() - before.at < noSecondWithinMs;
  };

  const refreshed = async (used: Credential): Promise<CredentialOutcome> => {
    const outcome = await refresher.refresh(used.accountId, "unauthorized");
    const renewed = current(used);
    if (renewed.ok) brought.set(used.accountId, { token: renewed.credential.token, at: clock.monotonic() });
    if (renewed.ok || outcome.outcome !== "failed") return renewed;
    // Refused by the API and not to be had anew: this token must not be sent again.
    if (outcome.needsLogin) registry.tokenRefused(used.accountId);
    const retryAfterSeconds = outcome.nextTryAt === null ? null : Math.max(1, Math.ceil((outcome.nextTryAt - clock.now()) / 1000));
    return { ...refusal(outcome.message), retryAfterSeconds };
  };

  return {
    wasJustBrought,
    async renew(used) {
      const newer = current(used);
      const isOver = newer.ok || used.kind === "api_key" || registry.get(used.accountId) === null || wasJustBrought(used);
      return isOver ? newer : refreshed(used);
    },
  };
};

type Refusal = Extract<CredentialOutcome, { ok: false }>;

const refusal = (message: string): Refusal => ({ ok: false, code: "sign-in-needed", message, retryAfterSeconds: null });
