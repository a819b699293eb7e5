// When a frame is drawn. One frame costs the event loop 4 to 8 ms, and the streams share that loop; so
// events are gathered before anything is drawn: at most `maxFps` frames a second while things change,
// as many as the clock on the screen needs while they do not, keys at once. A frame is skipped while the
// terminal has not taken the last one, and the pace falls to one a second while the loop is late.
import type { Clock, Timer } from "../lib/clock.ts";
import { expiringMs } from "../state/select.ts";
import type { AppState } from "../state/state.ts";
import type { Store } from "../state/store.ts";
import type { UiState } from "./ui-state.ts";

export type FrameDeps = {
  readonly clock: Clock;
  readonly store: Store;
  readonly maxFps: number;
  /** 99th percentile of the event loop's delay over the last seconds, milliseconds; null when it is not measured. */
  readonly loopDelayMs: () => number | null;
  /** The terminal has not taken what was written so far. */
  readonly isBlocked: () => boolean;
  /** How long what is on the screen stays true when nothing happens, milliseconds. */
  readonly restMs: () => number;
  readonly draw: (frame: { readonly slow: boolean }) => void;
};

export type Frames = {
  /** Draws now (at most 20 times a second): a key was pressed, the window has another size. */
  urgent(): void;
  stop(): void;
};

/** Above this delay of the loop (99th percentile) drawing steps back. */
const lateMs = 25;
const urgentGapMs = 50;
const slowGapMs = 1000;

/** Draws the first frame at once and then keeps going until `stop`. */
export const createFrames = (deps: FrameDeps): Frames => {
  const { clock, store } = deps;
  const state = { drawnAt: Number.NEGATIVE_INFINITY, seen: store.snapshot(), changed: false, slow: false, timer: null as Timer | null, dueAt: Number.POSITIVE_INFINITY };

  const busyGap = (): number => (state.slow ? slowGapMs : 1000 / deps.maxFps);

  const plan = (gap: number): void => {
    const dueAt = Math.max(clock.monotonic(), state.drawnAt + gap);
    if (state.timer !== null && state.dueAt <= dueAt) return;
    state.timer?.cancel();
    state.dueAt = dueAt;
    state.timer = clock.setTimeout(due, dueAt - clock.monotonic());
  };

  const draw = (): void => {
    state.seen = store.snapshot();
    state.drawnAt = clock.monotonic();
    state.slow = (deps.loopDelayMs() ?? 0) > lateMs;
    deps.draw({ slow: state.slow });
    plan(Math.max(busyGap(), deps.restMs()));
  };

  const due = (): void => {
    state.timer = null;
    const wasChanged = state.changed;
    state.changed = false;
    if (deps.isBlocked()) {
      state.drawnAt = clock.monotonic();
      state.changed = wasChanged;
      return plan(busyGap());
    }
    // Events that changed nothing that can be seen cost no frame.
    const resting = clock.monotonic() - state.drawnAt < Math.max(busyGap(), deps.restMs());
    if (wasChanged && resting && store.snapshot() === state.seen) return plan(Math.max(busyGap(), deps.restMs()));
    draw();
  };

  const unsubscribe = store.subscribe(() => {
    if (state.changed) return;
    state.changed = true;
    plan(busyGap());
  });

  draw();
  return {
    urgent() {
      if (deps.isBlocked() || clock.monotonic() - state.drawnAt < urgentGapMs) {
        state.changed = true;
        state.seen = { ...state.seen };
        return plan(urgentGapMs);
      }
      state.timer?.cancel();
      state.timer = null;
      state.changed = false;
      draw();
    },
    stop() {
      unsubscribe();
      state.timer?.cancel();
      state.timer = null;
    },
  };
};

const second = 1000;
const minute = 60_000;

/**
 * Milliseconds until the next frame is due although no event came. Seconds are shown only where they matter, so an
 * idle screen is drawn once a minute.
 */
export const restMs = (state: AppState, ui: UiState, now: number): number => {
  const ends = [ui.quitUntil, ui.suspendUntil, ui.message?.until ?? null].filter((until) => until !== null).map((until) => Math.max(0, until - now));
  return Math.min(countsSeconds(state, now) ? second : minute, ...ends);
};

const countsSeconds = ({ requests, server, upstream, accounts, login }: AppState, now: number): boolean =>
  requests.inFlight > 0 ||
  server.status === "stopping" ||
  upstream.failingSince !== null ||
  login.step === "exchange" ||
  accounts.some(({ enabled, expiresAt, nextRefreshAt }) => enabled && (isNear(expiresAt, now) || isNear(nextRefreshAt, now)));

const isNear = (at: number | null, now: number): boolean => at !== null && at > now && at - now <= expiringMs + minute;
