// A clock that stands still until a test moves it. `advance` runs due timers in order, one by one;
// `jump` moves only the wall clock, as a suspend or a clock correction does.
import type { Clock } from "../../src/lib/clock.ts";

export type FakeClock = Clock & {
  /** Moves both clocks, firing timers on the way; awaits microtasks between two timers. */
  advance(ms: number): Promise<void>;
  /** Moves the wall clock alone. */
  jump(ms: number): void;
  pendingTimers(): number;
};

type Pending = { readonly id: number; dueAt: number; readonly every: number | null; readonly callback: () => void };

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

export const createFakeClock = (startsAt = Date.UTC(2026, 0, 2, 12, 0, 0)): FakeClock => {
  let wall = startsAt;
  let steady = 0;
  let nextId = 0;
  const timers = new Map<number, Pending>();

  const add = (callback: () => void, ms: number, every: number | null) => {
    nextId += 1;
    const id = nextId;
    timers.set(id, { id, dueAt: steady + ms, every, callback });
    return { cancel: () => void timers.delete(id) };
  };

  const nextDue = (limit: number): Pending | undefined => {
    let due: Pending | undefined;
    for (const timer of timers.values()) {
      if (timer.dueAt <= limit && (due === undefined || timer.dueAt < due.dueAt)) due = timer;
    }
    return due;
  };

  const moveTo = (target: number): void => {
    wall += target - steady;
    steady = target;
  };

  return {
    now: () => wall,
    monotonic: () => steady,
    setTimeout: (callback, ms) => add(callback, ms, null),
    setInterval: (callback, ms) => add(callback, ms, Math.max(1, ms)),
    async advance(ms) {
      const target = steady + ms;
      await settle();
      for (let due = nextDue(target); due !== undefined; due = nextDue(target)) {
        moveTo(Math.max(steady, due.dueAt));
        if (due.every === null) timers.delete(due.id);
        else due.dueAt += due.every;
        due.callback();
        await settle();
      }
      moveTo(target);
      await settle();
    },
    jump(ms) {
      wall += ms;
    },
    pendingTimers: () => timers.size,
  };
};
