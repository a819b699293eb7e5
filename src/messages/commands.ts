// What a person or a program may ask of the running core. The dashboard, the HTTP API and the command line call the same
// object, so there is no button that the API cannot press. A promise that resolves means that the command was accepted;
// its results come as events.
import type { Secret } from "../lib/secret.ts";
import type { IdentityQuestion } from "./identity.ts";

/** An open sign-in. The link carries state and challenge but never the verifier. */
export type LoginAttempt = {
  readonly attemptId: string;
  readonly kind: "max" | "console";
  /** Link for any machine: the page shows `code#state` to paste. */
  readonly authorizeUrl: string;
  /**
   * `http://localhost:PORT/login/TOKEN` for one browser on this machine: it leads to the page and makes the sign-in that
   * browser's. Null when nothing of ours listens there, and after ten wrong tries.
   */
  readonly shortUrl: string | null;
  /** The browser that opened `shortUrl` comes back by itself; false when `oauth.callback` is off: then it shows the code. */
  readonly returns: boolean;
  /** The states of its links: a pasted code comes with one of them. */
  readonly states: readonly string[];
  /** Wall milliseconds. */
  readonly expiresAt: number;
  /** What a person has to answer before the sign-in is kept; null while nothing is asked. */
  readonly question: IdentityQuestion | null;
};

/** Code of the notices about the short link of the open sign-in: it was withdrawn, or two browsers came with it. */
export const linkNotice = "sign-in-link";

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
  /** Keep it whoever signs in: the answer to the question was given beforehand. */
  readonly acceptIdentity?: boolean;
};

/** What became of a pasted code or of an answer. `bad-paste` keeps the attempt open; `failed` has closed it. */
export type SubmitOutcome =
  | { readonly outcome: "signed-in"; readonly accountId: string; readonly expiresAt: number | null }
  /** Granted, but kept only after a yes (`answerIdentity`). */
  | { readonly outcome: "confirm"; readonly question: IdentityQuestion }
  | { readonly outcome: "nothing" }
  | { readonly outcome: "bad-paste"; readonly code: string; readonly message: string }
  /** The exchange may be tried again with the same paste. */
  | { readonly outcome: "retry"; readonly message: string }
  | { readonly outcome: "failed"; readonly errorCode: string; readonly message: string };

export type RefreshOutcome =
  | { readonly outcome: "refreshed" | "adopted"; readonly expiresAt: number | null }
  | { readonly outcome: "failed"; readonly errorCode: string; readonly message: string; readonly needsLogin: boolean; readonly nextTryAt: number | null };

export type IdentityAnswer = { readonly attemptId: string | null; readonly confirm: string; readonly accept: boolean };

/** A browser's request, as far as it matters for a sign-in: its `Cookie` header. */
export type BrowserVisit = { readonly cookie: string | null };

/** A request for `/login/TOKEN`; `host` is its `Host` header. */
export type LinkVisit = BrowserVisit & { readonly token: string; readonly host: string };

/**
 * Where `/login/TOKEN` leads. `unknown`: no such link is open. `used`: another browser has opened it. `setCookie` makes
 * the sign-in that browser's; null when it is only sent to the right name of this machine.
 */
export type LinkResult =
  | { readonly result: "open"; readonly location: string; readonly setCookie: string | null }
  | { readonly result: "unknown" | "used"; readonly message: string };

/**
 * What became of the browser's way back. `retry` leaves the sign-in open, `confirm` too: it waits for an answer.
 * `foreign`: this browser did not open the sign-in's link. `refused` and `foreign` never touched the sign-in. `lost`: it
 * was finished, but not by this browser. The others ended it.
 */
export type CallbackResult =
  | { readonly result: "signed-in" }
  | { readonly result: "confirm" | "retry" | "refused" | "foreign" | "lost" | "failed"; readonly message: string };

/** Throws `AppError` (unknown-account, login-expired, store-…) when a command cannot be accepted. */
export type Commands = {
  /** A request that comes now gets a credential: of the one account that every request uses when there is such a one, else of any. */
  canServe(): boolean;
  startLogin(options: LoginOptions): Promise<LoginAttempt>;
  /** The open attempt, for a screen that was opened later. */
  pendingLogin(): LoginAttempt | null;
  /** A browser follows `/login/TOKEN`. The first one with the right token gets it; ten wrong tokens withdraw the link. */
  openLink(visit: LinkVisit): LinkResult;
  /** `attemptId` null means the one that is open; `accountId` names the account when the attempt did not. */
  submitCode(pasted: Secret, attemptId: string | null, accountId?: string): Promise<SubmitOutcome>;
  /**
   * The browser came back by itself with `query` (RFC 6749 section 4.1.2). Refuses another browser than the one that
   * opened the link, and a state that is wrong, missing or used, without any call upstream. Never throws.
   */
  completeCallback(visit: BrowserVisit & { readonly query: string }): Promise<CallbackResult>;
  /** The yes or no to an attempt's question; a no gives the grant back to the server. Throws `conflict` when nothing (any more) is asked. */
  answerIdentity(answer: IdentityAnswer): Promise<SubmitOutcome>;
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
