// The refresh engine: one refresh at a time per account, a back-off between failures, and every outcome published once. A
// request that gives up never cancels a refresh; a shutdown waits for it.
import { sleep } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { withoutEmail } from "../lib/redact.ts";
import { sameSecret } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import { createSingleFlight } from "../lib/single-flight.ts";
import { visibleText } from "../lib/visible-text.ts";
import type { RefreshOutcome } from "../messages/commands.ts";
import type { RefreshReason } from "../messages/events.ts";
import { backOffIn } from "../messages/refresh-fact.ts";
import type { RefreshFact, RefreshNote } from "../messages/refresh-fact.ts";
import { refreshAccount } from "./refresh.ts";
import type { RefreshDeps, RefreshResult } from "./refresh.ts";
import { backOffMs } from "./refresh-plan.ts";

export type RefresherDeps = RefreshDeps & {
  readonly random: Random;
  /** The timeline of earlier processes: a restart must not storm a server that asked for patience. */
  readonly past: readonly RefreshFact[];
};

export type Refresher = {
  /**
   * Joins the refresh that runs, or starts one if it is allowed now: during a back-off and after a final
   * refusal only `manual` asks the server. Never throws.
   */
  refresh(accountId: string, reason: RefreshReason): Promise<RefreshOutcome>;
  /** Wall milliseconds of the next allowed try; null when one is allowed now. */
  nextTryAt(accountId: string): number | null;
  /** Why the last try failed, while the next one is not allowed yet. */
  lastFailure(accountId: string): string | null;
  /** Resolves when no refresh runs and nothing waits to be stored, at the latest after `limitMs`. */
  drain(limitMs?: number): Promise<void>;
};

/** `token` is the refresh token that failed: a newer one is tried at once. The timeline does not name it, so it is filled in at the first look. */
type BackOff = { readonly note: RefreshNote; readonly endsAt: number; token: Secret | null };

type Failure = Extract<RefreshOutcome, { outcome: "failed" }>;

const drainLimitMs = 10_000;

export const createRefresher = (deps: RefresherDeps): Refresher => {
  const { clock, registry, publish } = deps;
  const inFlight = createSingleFlight<RefreshOutcome>();
  const running = new Set<Promise<unknown>>();
  const backOffs = new Map<string, BackOff>();
  for (const accountId of new Set(deps.past.map((fact) => fact.accountId))) {
    const note = backOffIn(deps.past, accountId, clock.now());
    if (note !== null) backOffs.set(accountId, { note, endsAt: clock.monotonic() + note.nextTryAt - clock.now(), token: null });
  }

  const backOffOf = (accountId: string): BackOff | null => {
    const backOff = backOffs.get(accountId);
    if (backOff === undefined || backOff.endsAt <= clock.monotonic()) return null;
    backOff.token ??= refreshTokenOf(accountId);
    return sameSecret(backOff.token, refreshTokenOf(accountId)) ? backOff : null;
  };

  const refreshTokenOf = (accountId: string): Secret | null => registry.get(accountId)?.account.refreshToken ?? null;

  /** Why no refresh may start now; null when one may. */
  const refusalOf = (accountId: string, reason: RefreshReason): Failure | null => {
    const entry = registry.get(accountId);
    if (entry === null) return failure("unknown-account", "There is no such account.");
    if (entry.account.kind === "api_key") return failure("nothing-to-refresh", "An API key does not expire; there is nothing to refresh.");
    if (reason === "manual") return null;
    if (entry.needsLogin !== null) return failure("sign-in-needed", entry.needsLogin, { needsLogin: true });
    const note = backOffOf(accountId)?.note;
    return note === undefined ? null : failure(note.errorCode, note.message, { nextTryAt: note.nextTryAt });
  };

  const refresh = async (accountId: string, reason: RefreshReason): Promise<RefreshOutcome> => {
    const startedAt = clock.monotonic();
    publish({ type: "token.refreshing", accountId, reason, expiresAt: registry.get(accountId)?.account.expiresAt ?? null });
    const result = await refreshAccount(deps, accountId, reason);
    if (result.ended === "failed" || result.ended === "refused") return noteFailure(accountId, reason, result);
    backOffs.delete(accountId);
    if (result.ended === "adopted") {
      publish({ type: "token.adopted", accountId, reason, newExpiresAt: result.newExpiresAt, renewable: registry.get(accountId)?.renewable === true, heldBy: result.heldBy });
      return { outcome: "adopted", expiresAt: result.newExpiresAt };
    }
    const { oldExpiresAt, newExpiresAt } = result;
    publish({ type: "token.refreshed", accountId, reason, durationMs: clock.monotonic() - startedAt, oldExpiresAt, newExpiresAt });
    return { outcome: "refreshed", expiresAt: newExpiresAt };
  };

  const noteFailure = (accountId: string, reason: RefreshReason, result: Extract<RefreshResult, { ended: "failed" | "refused" }>): Failure => {
    const { errorCode } = result;
    const failures = (backOffs.get(accountId)?.note.failures ?? 0) + 1;
    const message = visibleText(withoutEmail(result.message), 500);
    if (result.ended === "refused") {
      backOffs.delete(accountId);
      publish({ type: "token.refresh-failed", accountId, reason, errorCode, message, failures, nextTryAt: null });
      // Refused by the API and not to be had anew: this access token must not be sent again.
      if (reason === "unauthorized") registry.tokenRefused(accountId);
      registry.needsLogin(accountId, `${errorCode}: ${message}`);
      return failure(errorCode, message, { needsLogin: true });
    }
    const waitMs = backOffMs({ failures, retryAfterMs: result.retryAfterMs, uncertain: result.uncertain, random: fraction(deps.random) });
    const nextTryAt = clock.now() + waitMs;
    backOffs.set(accountId, { note: { failures, nextTryAt, errorCode, message }, endsAt: clock.monotonic() + waitMs, token: refreshTokenOf(accountId) });
    publish({ type: "token.refresh-failed", accountId, reason, errorCode, message, failures, nextTryAt });
    return failure(errorCode, message, { nextTryAt });
  };

  return {
    async refresh(accountId, reason) {
      const refusal = refusalOf(accountId, reason);
      if (refusal !== null) return refusal;
      const work = inFlight(accountId, () => refresh(accountId, reason));
      running.add(work);
      return work.finally(() => running.delete(work));
    },
    nextTryAt: (accountId) => backOffOf(accountId)?.note.nextTryAt ?? null,
    lastFailure: (accountId) => backOffOf(accountId)?.note.message ?? null,
    async drain(limitMs = drainLimitMs) {
      const written = Promise.allSettled(running).then(() => deps.tokenWriter.flush());
      await Promise.race([written, sleep(clock, limitMs)]);
      deps.tokenWriter.stop();
    },
  };
};

const failure = (errorCode: string, message: string, more: { readonly needsLogin?: boolean; readonly nextTryAt?: number } = {}): Failure => ({
  outcome: "failed",
  errorCode,
  message,
  needsLogin: more.needsLogin ?? false,
  nextTryAt: more.nextTryAt ?? null,
});

const fraction = (random: Random): number => Buffer.from(random(4)).readUInt32BE(0) / 2 ** 32;
