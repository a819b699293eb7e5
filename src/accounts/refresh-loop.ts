// The background work of a running proxy. A look every few seconds reads the clocks instead of trusting one long timer,
// because a laptop sleeps and a clock is corrected: it refreshes what is due, follows the store and ends cool-downs. At most
// one refresh a minute per account comes from here, whatever the clock does.
import type { Clock, Timer } from "../lib/clock.ts";
import type { Publish } from "../messages/bus.ts";
import { AppError } from "../messages/errors.ts";
import type { RefreshReason } from "../messages/events.ts";
import type { AccountEntry } from "./account-state.ts";
import { refreshNeed } from "./refresh-plan.ts";
import type { RefreshNeed, RefreshSettings } from "./refresh-plan.ts";
import type { Refresher } from "./refresher.ts";
import type { Registry, Reload } from "./registry.ts";

export type RefreshLoopDeps = {
  readonly clock: Clock;
  readonly publish: Publish;
  readonly registry: Registry;
  readonly refresher: Pick<Refresher, "refresh" | "nextTryAt">;
  readonly reload: Reload;
  /** True when the store was written since it was last read; costs one `stat`. */
  readonly storeChanged: () => boolean;
  readonly settings: RefreshSettings & { readonly everyMs: number };
};

export type RefreshLoop = {
  start(): void;
  /** One look, as the timer does it; resolves when the store was read, not when refreshes are done. */
  look(): Promise<void>;
  stop(): void;
};

const leastGapMs = 60_000;

/** A person who has just typed `login` in the next pane looks at this dashboard: the store is followed faster than the looks come. */
const followMs = 2000;

export const createRefreshLoop = (deps: RefreshLoopDeps): RefreshLoop => {
  const { clock, registry, refresher, settings } = deps;
  const lastCalls = new Map<string, number>();
  const clocksJumped = createJumpWatch(deps);
  let timers: readonly Timer[] = [];
  let isLooking = false;
  let isFollowing = false;
  let storeFault: string | null = null;

  const readStore = async (): Promise<void> => {
    try {
      await deps.reload();
      storeFault = null;
    } catch (error) {
      const fault = error instanceof AppError ? error.message : "The store failed.";
      // Said once, not every few seconds.
      if (fault !== storeFault) deps.publish(storeNotice(error, fault));
      storeFault = fault;
    }
  };

  const refreshDue = (jumped: boolean): void => {
    for (const entry of registry.list()) {
      const { id } = entry.account;
      const need = needOf(entry, deps);
      const isTooSoon = clock.monotonic() - (lastCalls.get(id) ?? Number.NEGATIVE_INFINITY) < leastGapMs;
      if (need.need === "none" || isTooSoon || refresher.nextTryAt(id) !== null) continue;
      lastCalls.set(id, clock.monotonic());
      const reason: RefreshReason = jumped ? "wake" : need.reason;
      void refresher.refresh(id, reason);
    }
  };

  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    const jumped = clocksJumped();
    registry.expire();
    await readStore();
    isLooking = false;
    refreshDue(jumped);
  };

  const follow = async (): Promise<void> => {
    if (isFollowing || !deps.storeChanged()) return;
    isFollowing = true;
    // A fault of the store is published by the next look, which reads it too.
    await deps.reload().catch(() => {});
    isFollowing = false;
  };

  return {
    start() {
      if (timers.length > 0) return;
      timers = [clock.setInterval(() => void look(), settings.everyMs), clock.setInterval(() => void follow(), followMs)];
    },
    look,
    stop() {
      for (const timer of timers) timer.cancel();
      timers = [];
    },
  };
};

const needOf = ({ account, remainingMs, isNew, renewable }: AccountEntry, { clock, settings }: RefreshLoopDeps): RefreshNeed => {
  if (!account.enabled || !renewable || isNew) return { need: "none" };
  return refreshNeed({ remainingMs, ageMs: account.refreshedAt === null ? null : clock.now() - account.refreshedAt }, settings);
};

const storeNotice = (error: unknown, message: string) => ({
  type: "notice" as const,
  level: "error" as const,
  code: error instanceof AppError ? error.code : "store-failed",
  message,
  hint: (error instanceof AppError ? error.hint : undefined) ?? null,
});

/** Scheduling and slow clock corrections stay below this. */
const noticeableMs = 5_000;
const lateMs = 10_000;
/** A sleep and a correction of the clock look the same; sleeps are rarely longer than a week. */
const longestSleepMs = 7 * 24 * 3600_000;

/** True when the clocks went apart since the last look; says so as an event. */
const createJumpWatch = ({ clock, publish, settings }: RefreshLoopDeps): (() => boolean) => {
  let [wall, steady] = [clock.now(), clock.monotonic()];
  return () => {
    const [wallGap, steadyGap] = [clock.now() - wall, clock.monotonic() - steady];
    [wall, steady] = [clock.now(), clock.monotonic()];
    // Where the monotonic clock runs on during sleep, or when the process was stopped, the look is just late.
    const late = steadyGap - settings.everyMs;
    const deltaMs = wallGap - steadyGap + (late > lateMs ? late : 0);
    if (Math.abs(deltaMs) < noticeableMs) return false;
    const kind = deltaMs < 0 ? "back" : deltaMs <= longestSleepMs ? "suspend" : "forward";
    publish({ type: "clock.jumped", deltaMs: Math.round(deltaMs), kind });
    return true;
  };
};
