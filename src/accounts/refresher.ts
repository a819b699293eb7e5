// The refresh engine: one refresh at a time per account, back-off between failures, and every outcome
// told once. A request that gives up never cancels a refresh; a shutdown waits for it.
import { sleep } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import type { Secret } from "../lib/secret.ts";
import { createSingleFlight } from "../lib/single-flight.ts";
import { visibleText } from "../lib/visible-text.ts";
import { withoutEmail } from "../lib/redact.ts";
import type { RefreshOutcome } from "../messages/commands.ts";
import type { RefreshReason } from "../messages/events.ts";
import type { RefreshNote } from "../messages/refresh-fact.ts";
import { sameSecret } from "./held.ts";
import { backOffMs } from "./refresh-plan.ts";
import type { RefreshRunDeps, RunResult } from "./refresh-run.ts";
import { createRefreshRun } from "./refresh-run.ts";

export type RefresherDeps = RefreshRunDeps & {
  readonly random: Random;
  /** Failures of an earlier process, so that a restart does not storm a server that asked for patience. */
  readonly notes?: ReadonlyMap<string, RefreshNote>;
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

/** Counts for the refresh token that failed; null: for whichever there is. */
type BackOff = { readonly note: RefreshNote; readonly endsAt: number; readonly token: Secret | null };

const drainLimitMs = 10_000;

export const createRefresher = (deps: RefresherDeps): Refresher => {
  const { clock, registry } = deps;
  const run = createRefreshRun(deps);
  const flight = createSingleFlight<RefreshOutcome>();
  const running = new Set<Promise<unknown>>();
  const backOffs = new Map<string, BackOff>([...(deps.notes ?? [])].map(([accountId, note]) => [accountId, restored(note, clock)]));

  const refresh = async (accountId: string, reason: RefreshReason): Promise<RefreshOutcome> => {
    const startedAt = clock.monotonic();
    deps.publish({ type: "token.refreshing", accountId, reason, expiresAt: registry.get(accountId)?.account.expiresAt ?? null });
    const result = await run(accountId, reason);
    if (result.ended === "failed" || result.ended === "refused") return noteFailure(deps, backOffs, { accountId, reason, result });
    backOffs.delete(accountId);
    if (result.ended === "adopted") {
      deps.publish({ type: "token.adopted", accountId, reason, newExpiresAt: result.newExpiresAt, renewable: registry.get(accountId)?.renewable === true, heldBy: result.heldBy });
      return { outcome: "adopted", expiresAt: result.newExpiresAt };
    }
    const { oldExpiresAt, newExpiresAt } = result;
    deps.publish({ type: "token.refreshed", accountId, reason, durationMs: clock.monotonic() - startedAt, oldExpiresAt, newExpiresAt });
    return { outcome: "refreshed", expiresAt: newExpiresAt };
  };

  const backOffOf = (accountId: string): BackOff | null => {
    const backOff = backOffs.get(accountId);
    if (backOff === undefined || backOff.endsAt <= clock.monotonic()) return null;
    const isForThis = backOff.token === null || sameSecret(backOff.token, registry.get(accountId)?.account.refreshToken ?? null);
    return isForThis ? backOff : null;
  };

  const forbidden = (accountId: string, reason: RefreshReason): RefreshOutcome | null => {
    const entry = registry.get(accountId);
    if (entry === null) return refusal("unknown-account", "There is no such account.", false);
    if (entry.account.kind === "api_key") return refusal("nothing-to-refresh", "An API key does not expire; there is nothing to refresh.", false);
    if (reason === "manual") return null;
    if (entry.needsLogin !== null) return refusal("sign-in-needed", entry.needsLogin, true);
    const note = backOffOf(accountId)?.note;
    return note === undefined ? null : { ...refusal(note.errorCode, note.message, false), nextTryAt: note.nextTryAt };
  };

  const tracked = <T>(work: Promise<T>): Promise<T> => {
    running.add(work);
    void work.finally(() => running.delete(work));
    return work;
  };

  return {
    refresh(accountId, reason) {
      const refused = forbidden(accountId, reason);
      return refused === null ? tracked(flight(accountId, () => refresh(accountId, reason))) : Promise.resolve(refused);
    },
    nextTryAt: (accountId) => backOffOf(accountId)?.note.nextTryAt ?? null,
    lastFailure: (accountId) => backOffOf(accountId)?.note.message ?? null,
    async drain(limitMs = drainLimitMs) {
      const settled = Promise.allSettled(running).then(() => deps.keeper.flush());
      await Promise.race([settled, sleep(clock, limitMs)]);
      deps.keeper.stop();
    },
  };
};

// A wall clock that was wrong in the earlier process must not lock the account out for a year.
const restored = (note: RefreshNote, clock: Clock): BackOff => {
  const waitMs = Math.min(Math.max(0, note.nextTryAt - clock.now()), 3600_000);
  return { note: { ...note, nextTryAt: clock.now() + waitMs }, endsAt: clock.monotonic() + waitMs, token: null };
};

type Refused = Extract<RefreshOutcome, { outcome: "failed" }>;

const refusal = (errorCode: string, message: string, needsLogin: boolean): Refused => ({ outcome: "failed", errorCode, message, needsLogin, nextTryAt: null });

type Failure = { readonly accountId: string; readonly reason: RefreshReason; readonly result: Extract<RunResult, { ended: "failed" | "refused" }> };

const noteFailure = (deps: RefresherDeps, backOffs: Map<string, BackOff>, { accountId, reason, result }: Failure): RefreshOutcome => {
  const failures = (backOffs.get(accountId)?.note.failures ?? 0) + 1;
  const message = visibleText(withoutEmail(result.message), 500);
  const isFinal = result.ended === "refused";
  const waitMs = isFinal ? null : backOffMs({ failures, retryAfterMs: result.retryAfterMs, uncertain: result.uncertain, random: fraction(deps.random) });
  const nextTryAt = waitMs === null ? null : deps.clock.now() + waitMs;
  if (waitMs === null || nextTryAt === null) backOffs.delete(accountId);
  else backOffs.set(accountId, { note: { failures, nextTryAt, errorCode: result.errorCode, message }, endsAt: deps.clock.monotonic() + waitMs, token: tokenOf(deps, accountId) });
  deps.publish({ type: "token.refresh-failed", accountId, reason, errorCode: result.errorCode, message, failures, nextTryAt });
  // Refused by the API and not to be had anew: this token must not be sent again.
  if (isFinal && reason === "unauthorized") deps.registry.tokenRefused(accountId);
  if (isFinal) deps.registry.needsLogin(accountId, `${result.errorCode}: ${message}`);
  return { outcome: "failed", errorCode: result.errorCode, message, needsLogin: isFinal, nextTryAt };
};

const tokenOf = (deps: RefresherDeps, accountId: string): Secret | null => deps.registry.get(accountId)?.account.refreshToken ?? null;

const fraction = (random: Random): number => Buffer.from(random(4)).readUInt32BE(0) / 2 ** 32;
