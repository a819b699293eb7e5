// One account inside this process: the record of the store, and what only this process knows about it (cool-down, limits,
// the words of a refusal, tokens that were replaced). Mutable; it is read as a copy, and every change is published once.
import type { Clock } from "../lib/clock.ts";
import { withoutEmail } from "../lib/redact.ts";
import { sameSecret } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import { visibleText } from "../lib/visible-text.ts";
import type { Publish } from "../messages/bus.ts";
import type { AccountHealth } from "../messages/events.ts";
import { sameTokens } from "./account.ts";
import type { Account } from "./account.ts";
import { healthChange } from "./health.ts";
import type { UpstreamResponse } from "./health.ts";
import type { LimitReading } from "./limits.ts";
import { isNews, readLimits } from "./limits.ts";

/** `until` is wall milliseconds for people; `endsAt`, monotonic, decides. */
export type Cooling = { readonly until: number; readonly endsAt: number; readonly reason: string; readonly limited: boolean };

/** A copy of what is known of one account. */
export type AccountEntry = {
  readonly account: Account;
  readonly health: AccountHealth;
  readonly cooling: Cooling | null;
  /** The words with which the credential was refused. */
  readonly needsLogin: string | null;
  /** There is a refresh token, and the server has not refused it. */
  readonly renewable: boolean;
  /** Milliseconds of life left by both clocks; null when the token does not say. */
  readonly remainingMs: number | null;
  /** Just obtained: a refresh would bring nothing. */
  readonly isNew: boolean;
};

/** No token is refreshed twice within this time, whatever the wall clock says. */
const newForMs = 60_000;

/** More windows than any account has. */
const mostWindows = 40;

export type AccountStateDeps = { readonly clock: Clock; readonly publish: Publish };

export class AccountState {
  /** The newest tokens are in memory only. */
  isUnsaved = false;
  #account: Account;
  /** Monotonic milliseconds at which the access token ends; null when it does not say. */
  #endsAt: number | null;
  /** Until this monotonic moment the token is so new that only the monotonic clock is believed. */
  #newUntil = Number.NEGATIVE_INFINITY;
  #cooling: Cooling | null = null;
  /** Failures in a row that count only when they repeat. */
  #strikes = 0;
  #needsLogin: string | null;
  /** Access tokens this process has seen replaced: a file that still holds one is older than we are. */
  #superseded: readonly Secret[] = [];
  readonly #limits = new Map<string, { readonly reading: LimitReading; readonly readAt: number }>();
  readonly #clock: Clock;
  readonly #publish: Publish;

  constructor(account: Account, { clock, publish }: AccountStateDeps) {
    this.#account = account;
    this.#endsAt = endOf(account, clock);
    this.#needsLogin = refusedBefore(account);
    this.#clock = clock;
    this.#publish = publish;
  }

  entry(): AccountEntry {
    return {
      account: this.#account,
      health: this.#health(),
      cooling: this.#cooling,
      needsLogin: this.#needsLogin,
      renewable: holdsRefreshToken(this.#account) && this.#needsLogin === null,
      remainingMs: this.#remainingMs(),
      isNew: this.#clock.monotonic() < this.#newUntil,
    };
  }

  secrets(): readonly Secret[] {
    const { accessToken, refreshToken } = this.#account;
    return refreshToken === null ? [accessToken] : [accessToken, refreshToken];
  }

  isSuperseded(accessToken: Secret): boolean {
    return this.#superseded.some((old) => sameSecret(old, accessToken));
  }

  /** A new sign-in or a new key: nothing that was known of the old credential counts. */
  replace(account: Account): void {
    this.#take(account);
    this.#cooling = null;
  }

  /** Tokens fresh from the token endpoint. */
  renewed(account: Account): void {
    const wasRefused = this.#needsLogin !== null;
    this.#take(account);
    // Half of its life at most, so that a short-lived token is refreshed in time.
    const now = this.#clock.monotonic();
    this.#newUntil = now + Math.min(newForMs, this.#endsAt === null ? newForMs : (this.#endsAt - now) / 2);
    if (wasRefused) this.#publishHealthy();
  }

  /** Takes what the store holds. True when that brought newer tokens. */
  follow(stored: Account, reason: string): boolean {
    const before = this.entry();
    const accountId = stored.id;
    const isNewer = this.#takeStored(stored);
    if (isNewer && before.health === "needs-login") this.#publishHealthy();
    if (before.account.enabled !== stored.enabled) this.#publish({ type: stored.enabled ? "account.enabled" : "account.disabled", accountId, reason });
    if (!before.account.enabled && stored.enabled) this.#publishTrouble();
    if (before.account.label !== stored.label || before.account.priority !== stored.priority) {
      this.#publish({ type: "account.changed", accountId, label: publicLabel(stored), priority: stored.priority });
    }
    return isNewer;
  }

  /** Takes health and limits from one response of the upstream. */
  observe(response: UpstreamResponse): void {
    const readings = readLimits(response.headers);
    for (const reading of readings) this.#noteLimit(reading);
    if (this.#account.kind === "api_key") this.#observeKey(response.status);
    const change = healthChange(response, readings, { strikes: this.#strikes, limited: this.#cooling?.limited === true }, this.#clock.now());
    if (change.to === "strike" || change.to === "cooling") this.#strikes += 1;
    if (change.to === "cooling") this.cool(change);
    if (change.to !== "well") return;
    this.#strikes = 0;
    if (change.endsCooling) this.#endCooling();
  }

  /** Lets the account cool, and says so unless it does already for as long. */
  cool({ forMs, reason, limited }: { readonly forMs: number; readonly reason: string; readonly limited: boolean }): void {
    const endsAt = this.#clock.monotonic() + forMs;
    const running = this.#cooling;
    // Ten requests that hit the same limit are one fact.
    const isSame = running !== null && running.limited === limited && Math.abs(running.endsAt - endsAt) < 2000;
    this.#cooling = { until: this.#clock.now() + forMs, endsAt, reason, limited };
    if (!isSame) this.#publishCooling(this.#cooling);
  }

  /** Remembers the words of a refusal until other tokens come; says it once. */
  needsLogin(message: string): void {
    const safe = visibleText(withoutEmail(message));
    if (this.#needsLogin === safe) return;
    this.#needsLogin = safe;
    this.#publishNeedsLogin();
  }

  /** The upstream refused the access token although its expiry lies ahead: it is not sent again. */
  refuseToken(): void {
    if (this.#account.kind !== "oauth" || (this.#remainingMs() ?? 1) <= 0) return;
    this.#endsAt = this.#clock.monotonic();
    this.#publishNeedsLogin();
  }

  /** Ends a cool-down that is over, and notices a token that ended and cannot be refreshed. */
  expire(): void {
    if (this.#cooling !== null && this.#cooling.endsAt <= this.#clock.monotonic()) this.#endCooling();
    if (this.#account.kind !== "oauth" || this.#account.refreshToken !== null || this.#needsLogin !== null) return;
    if ((this.#remainingMs() ?? 1) <= 0) this.needsLogin("The token has ended and there is no refresh token. Sign in again.");
  }

  #take(account: Account): void {
    // The same tokens may come twice: from the store that was just written, and from the one who wrote it.
    if (!sameSecret(this.#account.accessToken, account.accessToken)) this.#superseded = [...this.#superseded, this.#account.accessToken].slice(-16);
    this.#account = account;
    this.#endsAt = endOf(account, this.#clock);
    this.#newUntil = Number.NEGATIVE_INFINITY;
    this.#needsLogin = null;
    this.#strikes = 0;
  }

  /** Everything but the tokens comes from the store; the tokens only when they are not older than ours. */
  #takeStored(stored: Account): boolean {
    const own = this.#account;
    if (this.isSuperseded(stored.accessToken)) {
      const { accessToken, refreshToken, expiresAt, refreshedAt } = own;
      this.#account = { ...stored, accessToken, refreshToken, expiresAt, refreshedAt };
      return false;
    }
    if (!sameTokens(own, stored)) {
      this.#take(stored);
      return true;
    }
    this.#account = stored;
    if (own.expiresAt !== stored.expiresAt) this.#endsAt = endOf(stored, this.#clock);
    return false;
  }

  #health(): AccountHealth {
    if (!this.#account.enabled) return "disabled";
    if (this.#needsLogin !== null) return "needs-login";
    if (this.#cooling === null || this.#cooling.endsAt <= this.#clock.monotonic()) return "healthy";
    return this.#cooling.limited ? "limited" : "cooling";
  }

  // The smaller of both clocks: after a suspend the wall clock is right, after it was set back the other one.
  #remainingMs(): number | null {
    if (this.#endsAt === null) return null;
    const steady = this.#endsAt - this.#clock.monotonic();
    const { expiresAt } = this.#account;
    return expiresAt === null || this.#clock.monotonic() < this.#newUntil ? steady : Math.min(steady, expiresAt - this.#clock.now());
  }

  // No refresh could find out about a key. It stays in use, so that the client sees the upstream's own words.
  #observeKey(status: number): void {
    if (status === 401) this.needsLogin("The upstream refuses this API key (401). Add a new one.");
    if (status >= 300 || this.#needsLogin === null) return;
    this.#needsLogin = null;
    this.#publishHealthy();
  }

  #noteLimit(reading: LimitReading): void {
    const known = this.#limits.get(reading.window);
    if (known === undefined && this.#limits.size >= mostWindows) return;
    if (!isNews(known, reading, this.#clock.now())) return;
    this.#limits.set(reading.window, { reading, readAt: this.#clock.now() });
    this.#publish({ type: "limits.updated", accountId: this.#account.id, ...reading });
  }

  #endCooling(): void {
    if (this.#cooling === null) return;
    this.#cooling = null;
    if (this.#account.enabled && this.#needsLogin === null) this.#publishHealthy();
  }

  /** What an account that is enabled again has to be shown as. */
  #publishTrouble(): void {
    const health = this.#health();
    if (health === "needs-login") this.#publishNeedsLogin();
    if (this.#cooling !== null && (health === "cooling" || health === "limited")) this.#publishCooling(this.#cooling);
  }

  #publishHealthy(): void {
    this.#publish({ type: "account.healthy", accountId: this.#account.id });
  }

  #publishCooling({ until, reason, limited }: Cooling): void {
    this.#publish({ type: "account.cooling", accountId: this.#account.id, until, reason, limited });
  }

  #publishNeedsLogin(): void {
    if (this.#needsLogin === null) return;
    const remainingMs = this.#remainingMs();
    const expiresAt = remainingMs === null ? null : Math.round(this.#clock.now() + remainingMs);
    this.#publish({ type: "account.needs-login", accountId: this.#account.id, message: this.#needsLogin, expiresAt });
  }
}

/** The label as an event may carry it: without an e-mail address or a control character, at most 80 characters. */
export const publicLabel = ({ label }: Account): string => visibleText(withoutEmail(label), 80);

export const holdsRefreshToken = ({ kind, refreshToken }: Account): boolean => kind === "oauth" && refreshToken !== null;

// An API key does not end, even if an expiry was once stored beside it.
const endOf = ({ kind, expiresAt }: Account, clock: Clock): number | null =>
  kind === "api_key" || expiresAt === null ? null : clock.monotonic() + (expiresAt - clock.now());

// A refresh that was refused in an earlier process is not repeated in this one.
const refusedBefore = ({ kind, lastError }: Account): string | null =>
  kind === "oauth" && lastError !== null && /^(?:invalid_grant|outcome-unknown):/.test(lastError) ? lastError : null;
