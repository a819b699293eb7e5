// What the proxy needs of accounts: a credential for one request, and somewhere to report what came of it.
import type { Secret } from "../lib/secret.ts";
import type { AccountKind, PickReason } from "../messages/events.ts";
import type { Answer } from "./health.ts";

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

export type FailedConnection = {
  readonly sessionId: string | null;
  /** The code of the failure, such as `ECONNREFUSED`. */
  readonly reason: string;
  /** Every base URL that failed for this request, null for the configured upstream. */
  readonly unreachable: readonly (string | null)[];
};

/** Handed to the proxy by the composition root. */
export type Credentials = {
  /** Answers at once while the token is fresh; a promise only inside the mandatory refresh window. */
  acquire(wish: CredentialWish): CredentialOutcome | Promise<CredentialOutcome>;
  /** After a 401 with `used`: refreshes once (or adopts a newer token) and gives the new credential. */
  renew(used: Credential): Promise<CredentialOutcome>;
  /**
   * The server of `used` could not be reached and nothing was sent: a healthy account with another server, which
   * also lets the first one cool. Null when there is none, or when the account was asked for by name.
   */
  elsewhere(used: Credential, failed: FailedConnection): Promise<Credential | null> | null;
  /** What the upstream answered: health and limits learn from it. Header names are lower case. */
  learn(used: Credential, answer: Answer): void;
};
