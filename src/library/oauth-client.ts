// Sign in and have a valid token, for programs. The refresh engine is the proxy's own: one refresh at a
// time over all processes, durable before use, adopted from the process that was first.
import { createCredentials } from "../accounts/credentials.ts";
import type { Credentials } from "../accounts/credentials.ts";
import { createAccountCommands } from "../app/account-commands.ts";
import { openCore, refreshSettings } from "../app/core.ts";
import type { Core, CoreOptions } from "../app/core.ts";
import { createLoginCommands } from "../app/login-commands.ts";
import { Secret, secret } from "../lib/secret.ts";
import type { Commands, LoginAttempt, LoginOptions, SubmitOutcome } from "../messages/commands.ts";
import { AppError } from "../messages/errors.ts";
import { identityConflict } from "../messages/identity.ts";
import { whileAwake } from "./options.ts";
import { TokenStore, tokenOf } from "./token-store.ts";
import type { StoredToken } from "./token-store.ts";

type Opened = {
  readonly core: Core;
  readonly credentials: Credentials;
  readonly commands: Pick<Commands, "startLogin" | "submitCode" | "answerIdentity" | "refresh" | "logout">;
};

/** One program's access to the accounts of `store`. Every method may throw `AppError` (`store-…`, `bad-config`). */
export class OAuthClient {
  readonly #store: TokenStore;
  #opened: Promise<Opened> | null = null;

  /** Touches nothing. */
  constructor(store: TokenStore = new TokenStore()) {
    this.#store = store;
  }

  /** Opens a sign-in for ten minutes: `authorizeUrl` is for the person, `attemptId` for `exchangeCode`. The PKCE verifier stays inside. */
  async getAuthorizationUrl(options: LoginOptions = {}): Promise<LoginAttempt> {
    return (await this.#open()).commands.startLogin(options);
  }

  /**
   * Exchanges what the page showed (`code#state`) and stores the credential. Throws `AppError`: `bad-paste`
   * (the sign-in stays open), `conflict` (it is of a person who has no account here; `answerIdentity` goes on, and
   * `acceptIdentity` at the start prevents it), `login-failed`, `login-expired`.
   */
  async exchangeCode(pasted: string | Secret, attemptId: string | null = null, accountId?: string): Promise<StoredToken> {
    return whileAwake(async () => {
      const { commands } = await this.#open();
      return this.#signedIn(await commands.submitCode(pasted instanceof Secret ? pasted : secret(pasted), attemptId, accountId));
    });
  }

  /** The answer to a `conflict` of `exchangeCode`; its `fields.confirm` names it. A no gives the sign-in back and is `login-failed`. */
  async answerIdentity(confirm: string, accept: boolean): Promise<StoredToken> {
    return whileAwake(async () => this.#signedIn(await (await this.#open()).commands.answerIdentity({ attemptId: null, confirm, accept })));
  }

  /**
   * The access token (or API key) of `accountId`, or of the account whose turn it is; refreshed first when it
   * ends within `oauth.refreshLeadSeconds`. Throws `AppError` `sign-in-needed`.
   */
  async getValidToken(accountId: string | null = null): Promise<Secret> {
    return whileAwake(async () => {
      const { core, credentials } = await this.#open();
      if (core.accounts.changed()) await core.reload();
      const outcome = await credentials.acquire({ sessionId: null, accountId });
      if (outcome.ok) return outcome.credential.token;
      throw new AppError({ code: "sign-in-needed", message: outcome.message, hint: "Sign in again." });
    });
  }

  /** Refreshes now. Throws `AppError`: `refresh-failed`, `sign-in-needed`, `unknown-account`. */
  async refreshToken(accountId: string): Promise<StoredToken> {
    return whileAwake(async () => {
      const outcome = await (await this.#open()).commands.refresh(accountId);
      if (outcome.outcome !== "failed") return this.#token(accountId);
      throw new AppError({ code: outcome.needsLogin ? "sign-in-needed" : "refresh-failed", message: outcome.message });
    });
  }

  /** Removes the account here and revokes it at the server where possible. Throws `unknown-account`. */
  async signOut(accountId: string): Promise<void> {
    await whileAwake(async () => (await this.#open()).commands.logout(accountId));
  }

  /** Waits for what is under way and closes every connection; the client may not be used afterwards. */
  async close(): Promise<void> {
    const opened = this.#opened;
    if (opened !== null) await whileAwake(async () => (await opened).core.close());
  }

  async #signedIn(outcome: SubmitOutcome): Promise<StoredToken> {
    switch (outcome.outcome) {
      case "signed-in":
        return this.#token(outcome.accountId);
      case "confirm":
        throw new AppError({ code: "conflict", message: identityConflict(outcome.question), hint: "Nothing is stored before `answerIdentity`.", fields: outcome.question });
      case "nothing":
        throw new AppError({ code: "bad-paste", message: "No code was given." });
      default:
        throw new AppError({ code: outcome.outcome === "bad-paste" ? "bad-paste" : "login-failed", message: outcome.message });
    }
  }

  async #token(id: string): Promise<StoredToken> {
    const { core } = await this.#open();
    const entry = core.registry.get(id);
    if (entry === null) throw new AppError({ code: "unknown-account", message: "The account is not in the store any more." });
    return tokenOf(entry.account, core);
  }

  #open(): Promise<Opened> {
    this.#opened ??= this.#store.coreOptions().then(openParts);
    return this.#opened;
  }
}

const openParts = async (options: CoreOptions): Promise<Opened> => {
  const core = await openCore(options);
  const { clock, registry, refresher, reload, config } = core;
  const plan = refreshSettings(config);
  // Nothing runs in the background here: what a proxy would refresh there is refreshed when it is asked for.
  const settings = { ...plan, mandatoryMs: Math.max(plan.leadMs, plan.mandatoryMs), ...config.accounts };
  return {
    core,
    credentials: createCredentials({ clock, registry, refresher, reload, settings }),
    commands: { ...createAccountCommands(core), ...createLoginCommands(core, async () => null) },
  };
};
