// When a frame is drawn. One frame costs the event loop 4 to 8 ms, and the streams share that loop; so
// events are gathered before anything is drawn: at most `maxFps` frames a second while things change,
// as many as the clock on the screen needs while they do not, keys at once. A frame is skipped while the
// terminal has not taken the last one, and the pace falls to one a second while the loop is late.
import type { Clock, Timer } from "../lib/clock.ts";
import type { Store } from "../state/store.ts";

export type FrameDeps = {
  readonly clock: Clock;
  readonly store: Store;
  readonly maxFps: number;
  /** 99th percentile of the event loop's delay over the last seconds, milliseconds; null when nobody measures. */
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
  const room = { drawnAt: Number.NEGATIVE_INFINITY, seen: store.snapshot(), changed: false, slow: false, timer: null as Timer | null, dueAt: Number.POSITIVE_INFINITY };

  const busyGap = (): number => (room.slow ? slowGapMs : 1000 / deps.maxFps);

  const plan = (gap: number): void => {
    const dueAt = Math.max(clock.monotonic(), room.drawnAt + gap);
    if (room.timer !== null && room.dueAt <= dueAt) return;
    room.timer?.cancel();
    room.dueAt = dueAt;
    room.timer = clock.setTimeout(due, dueAt - clock.monotonic());
  };

  const draw = (): void => {
    room.seen = store.snapshot();
    room.drawnAt = clock.monotonic();
    room.slow = (deps.loopDelayMs() ?? 0) > lateMs;
    deps.draw({ slow: room.slow });
    plan(Math.max(busyGap(), deps.restMs()));
  };

  const due = (): void => {
    room.timer = null;
    const wasChanged = room.changed;
    room.changed = false;
    if (deps.isBlocked()) {
      room.drawnAt = clock.monotonic();
      room.changed = wasChanged;
      return plan(busyGap());
    }
    // Events that changed nothing that can be seen cost no frame.
    const resting = clock.monotonic() - room.drawnAt < Math.max(busyGap(), deps.restMs());
    if (wasChanged && resting && store.snapshot() === room.seen) return plan(Math.max(busyGap(), deps.restMs()));
    draw();
  };

  const unsubscribe = store.subscribe(() => {
    if (room.changed) return;
    room.changed = true;
    plan(busyGap());
  });

  draw();
  return {
    urgent() {
      if (deps.isBlocked() || clock.monotonic() - room.drawnAt < urgentGapMs) {
        room.changed = true;
        room.seen = { ...room.seen };
        return plan(urgentGapMs);
      }
      room.timer?.cancel();
      room.timer = null;
      room.changed = false;
      draw();
    },
    stop() {
      unsubscribe();
      room.timer?.cancel();
      room.timer = null;
    },
  };
};
