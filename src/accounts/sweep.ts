// Looks at the clocks every few seconds instead of trusting one long timer: a laptop sleeps, a clock is
// corrected. Refreshes what is due, follows the store, ends cool-downs. At most one refresh a minute per
// account comes from here, whatever the clock does.
import type { Clock, Timer } from "../lib/clock.ts";
import type { Publish } from "../messages/bus.ts";
import { AppError } from "../messages/errors.ts";
import type { AccountEntry } from "./held.ts";
import type { PlanSettings } from "./refresh-plan.ts";
import { refreshNeed } from "./refresh-plan.ts";
import type { Refresher } from "./refresher.ts";
import type { Registry } from "./registry.ts";
import type { Reload } from "./reload.ts";

export type SweepDeps = {
  readonly clock: Clock;
  readonly publish: Publish;
  readonly registry: Registry;
  readonly refresher: Pick<Refresher, "refresh" | "nextTryAt">;
  readonly reload: Reload;
  readonly settings: PlanSettings & { readonly everyMs: number };
};

export type Sweep = {
  start(): void;
  /** One look, as the timer does it; resolves when the store was read, not when refreshes are done. */
  look(): Promise<void>;
  stop(): void;
};

const leastGapMs = 60_000;

export const createSweep = (deps: SweepDeps): Sweep => {
  const { clock } = deps;
  const lastCalls = new Map<string, number>();
  const watch = createJumpWatch(deps);
  let timer: Timer | null = null;
  let isLooking = false;
  let storeFault: string | null = null;

  const follow = async (): Promise<void> => {
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
    for (const entry of deps.registry.list()) {
      const { id } = entry.account;
      const isTooSoon = clock.monotonic() - (lastCalls.get(id) ?? Number.NEGATIVE_INFINITY) < leastGapMs;
      if (isTooSoon || !isDue(entry, deps) || deps.refresher.nextTryAt(id) !== null) continue;
      lastCalls.set(id, clock.monotonic());
      void deps.refresher.refresh(id, reasonFor(entry, deps, jumped));
    }
  };

  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    const jumped = watch();
    deps.registry.settle();
    await follow();
    isLooking = false;
    refreshDue(jumped);
  };

  return {
    start() {
      timer ??= clock.setInterval(() => void look(), deps.settings.everyMs);
    },
    look,
    stop() {
      timer?.cancel();
      timer = null;
    },
  };
};

const needOf = ({ account, remainingMs }: AccountEntry, { clock, settings }: SweepDeps) =>
  refreshNeed({ remainingMs, ageMs: account.refreshedAt === null ? null : clock.now() - account.refreshedAt }, settings);

const isDue = (entry: AccountEntry, deps: SweepDeps): boolean => {
  const { account, isNew, renewable } = entry;
  return account.enabled && renewable && !isNew && needOf(entry, deps).need !== "none";
};

const reasonFor = (entry: AccountEntry, deps: SweepDeps, jumped: boolean) => {
  const need = needOf(entry, deps);
  if (jumped) return "wake";
  return need.need === "none" ? "lead" : need.reason;
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
/** Nothing tells a sleep from a correction of the clock; sleeps are rarely longer than a week. */
const longestSleepMs = 7 * 24 * 3600_000;

/** True when the clocks went apart since the last look; says so as an event. */
const createJumpWatch = ({ clock, publish, settings }: SweepDeps): (() => boolean) => {
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
