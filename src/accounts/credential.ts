// What the proxy needs of accounts: a credential for one request, and somewhere to report what came of it.
import type { Secret } from "../lib/secret.ts";
import type { AccountKind, PickReason } from "../messages/events.ts";

/** What is sent upstream for one attempt. */
export type Credential = {
  readonly accountId: string;
  readonly kind: AccountKind;
  readonly token: Secret;
  /** Null: the configured upstream. */
  readonly baseUrl: string | null;
  readonly reason: PickReason;
};

/** `sign-in-needed` only when no account holds a usable credential at all. */
export type CredentialOutcome =
  | { readonly ok: true; readonly credential: Credential }
  | { readonly ok: false; readonly code: "sign-in-needed"; readonly message: string; readonly retryAfterSeconds: number | null };

export type CredentialWish = {
  /** `x-claude-code-session-id`, for stickiness. */
  readonly sessionId: string | null;
  /** The model map or `--account` asked for this one. */
  readonly accountId: string | null;
};

/** Handed to the proxy by the composition root. */
export type Credentials = {
  /** Answers at once while the token is fresh; a promise only inside the mandatory refresh window. */
  acquire(wish: CredentialWish): CredentialOutcome | Promise<CredentialOutcome>;
  /** After a 401 with `used`: refreshes once (or adopts a newer token) and gives the new credential. */
  renew(used: Credential): Promise<CredentialOutcome>;
  /** What the upstream answered: health and limits learn from it. Header names are lower case. */
  learn(used: Credential, answer: { readonly status: number; readonly headers: Readonly<Record<string, string | string[] | undefined>> }): void;
};
