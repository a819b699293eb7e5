// What a person or a program may ask of the running core. The dashboard, the HTTP API and the command line call the same
// object, so there is no button that the API cannot press. A promise that resolves means that the command was accepted;
// its results come as events.
import type { Secret } from "../lib/secret.ts";

/** An open sign-in. The links carry state and challenge but never the verifier. */
export type LoginAttempt = {
  readonly attemptId: string;
  readonly kind: "max" | "console";
  /** Link for any machine: the page shows `code#state` to paste. */
  readonly authorizeUrl: string;
  /** Link for a browser on this machine: it comes back to our callback. Null when `oauth.callback` is off. */
  readonly browserUrl: string | null;
  /** `http://localhost:PORT/login` while a server runs. */
  readonly shortUrl: string | null;
  /** Wall milliseconds. */
  readonly expiresAt: number;
};

/** True for a text that may be an account id: short, and safe in a file, an event, a path and a shell. */
export const isAccountId = (text: string): boolean => /^[a-z0-9][a-z0-9._-]{0,63}$/.test(text);

/** What one account may have of its own, in the place of the configuration's value. */
export const endpointKeys = ["baseUrl", "tokenUrl", "authorizeUrl", "redirectUri", "clientId", "scopes"] as const;

export type EndpointKey = (typeof endpointKeys)[number];

export type EndpointOptions = { readonly [Key in EndpointKey]?: string };

export type LoginOptions = {
  readonly kind?: "max" | "console";
  /** Sign this account in again, or name the new one. */
  readonly accountId?: string;
  /** Addresses of another server for this account; kept with it. */
  readonly endpoints?: EndpointOptions;
};

/** What became of a pasted code. `bad-paste` keeps the attempt open; `failed` has closed it. */
export type SubmitOutcome =
  | { readonly outcome: "signed-in"; readonly accountId: string; readonly expiresAt: number | null }
  | { readonly outcome: "nothing" }
  | { readonly outcome: "bad-paste"; readonly code: string; readonly message: string }
  /** The exchange may be tried again with the same paste. */
  | { readonly outcome: "retry"; readonly message: string }
  | { readonly outcome: "failed"; readonly errorCode: string; readonly message: string };

export type RefreshOutcome =
  | { readonly outcome: "refreshed" | "adopted"; readonly expiresAt: number | null }
  | { readonly outcome: "failed"; readonly errorCode: string; readonly message: string; readonly needsLogin: boolean; readonly nextTryAt: number | null };

/** What became of the browser's way back. `retry` leaves the sign-in open, `refused` never touched it, the others ended it. */
export type CallbackResult =
  | { readonly result: "signed-in" }
  | { readonly result: "retry" | "refused" | "failed"; readonly message: string };

/** Throws `AppError` (unknown-account, login-expired, store-…) when a command cannot be accepted. */
export type Commands = {
  /** A request that comes now gets a credential: of the one account that every request uses when there is such a one, else of any. */
  canServe(): boolean;
  startLogin(options: LoginOptions): Promise<LoginAttempt>;
  /** The attempt that waits for a code, for `/login` and for a screen that was opened later. */
  pendingLogin(): LoginAttempt | null;
  /** `attemptId` null means the one that is open; `accountId` names the account when the attempt did not. */
  submitCode(pasted: Secret, attemptId: string | null, accountId?: string): Promise<SubmitOutcome>;
  /**
   * The browser came back by itself with `query` (RFC 6749 section 4.1.2). Refuses a state that is wrong, missing
   * or used, without any call upstream. Never throws.
   */
  completeCallback(query: string): Promise<CallbackResult>;
  cancelLogin(attemptId: string): void;
  refresh(accountId: string | null): Promise<RefreshOutcome>;
  addApiKey(options: { key: Secret; accountId?: string; label?: string; endpoints?: EndpointOptions }): Promise<{ accountId: string }>;
  setEnabled(accountId: string, enabled: boolean): Promise<void>;
  rename(accountId: string, label: string): Promise<void>;
  setPriority(accountId: string, priority: number): Promise<void>;
  /** One of `endpointKeys`, checked like the configuration; null goes back to the configuration. */
  setEndpoint(accountId: string, key: string, value: string | null): Promise<void>;
  /** Revokes at the server where possible (a failure is a `notice`) and removes the account. */
  logout(accountId: string | null): Promise<{ removed: readonly string[] }>;
  /** Stop listening, drain, stop: resolves when everything is down. A second call cuts the drain short. */
  stop(reason: string): Promise<void>;
};
