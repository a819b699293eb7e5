import { describe, expect, it } from "vitest";
import type { Event } from "../../src/messages/events.ts";
import { initialState } from "../../src/state/state.ts";
import { reduce } from "../../src/state/reduce.ts";
import { createFrames, restMs } from "../../src/tui/frames.ts";
import { initialUi } from "../../src/tui/ui-state.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { fact } from "../state/facts.ts";
import { afternoon, noon, stateOf } from "./scene.ts";

const setUp = (about: { maxFps?: number; restMs?: number } = {}) => {
  const clock = createFakeClock();
  const source = {
    state: initialState({ version: "1", mode: "oauth" }),
    delay: null as number | null,
    blocked: false,
    restMs: about.restMs ?? 60_000,
    drawn: [] as { at: number; slow: boolean }[],
    listener: () => {},
  };
  const started = clock.monotonic();
  const frames = createFrames({
    clock,
    store: { snapshot: () => source.state, subscribe: (listener) => ((source.listener = listener), () => (source.listener = () => {})) },
    maxFps: about.maxFps ?? 4,
    loopDelayMs: () => source.delay,
    isBlocked: () => source.blocked,
    restMs: () => source.restMs,
    draw: ({ slow }) => source.drawn.push({ at: clock.monotonic() - started, slow }),
  });
  let next = 0;
  const happens = (event: Event = fact("request.received", { requestId: `r${(next += 1)}` })): void => {
    source.state = reduce(source.state, event);
    source.listener();
  };
  return { clock, frames, source, happens, times: () => source.drawn.map(({ at }) => at) };
};

describe("frames", () => {
  it("are at most four a second, however many events come (U8)", async () => {
    const { clock, source, happens } = setUp();
    for (let tick = 0; tick < 1000; tick += 5) {
      happens();
      await clock.advance(5);
    }
    expect(source.drawn.length).toBeLessThanOrEqual(5);
    expect(source.drawn.length).toBeGreaterThanOrEqual(4);
  });

  it("come at once for the first event after a rest", async () => {
    const { clock, happens, times } = setUp();
    await clock.advance(10_000);
    happens();
    await clock.advance(0);
    expect(times()).toEqual([0, 10_000]);
  });

  it("come once a second while only the clock moves, once a minute while nothing does", async () => {
    const open = setUp({ restMs: 1000 });
    await open.clock.advance(5000);
    expect(open.times()).toEqual([0, 1000, 2000, 3000, 4000, 5000]);
    const idle = setUp();
    await idle.clock.advance(180_000);
    expect(idle.times()).toEqual([0, 60_000, 120_000, 180_000]);
  });

  it("are not drawn for events that change nothing", async () => {
    const { clock, happens, times } = setUp();
    await clock.advance(5000);
    for (let count = 0; count < 20; count += 1) happens(fact("request.assigned", { requestId: "unknown" }));
    await clock.advance(5000);
    expect(times()).toEqual([0]);
  });

  it("follow a key at once, but at most twenty times a second", async () => {
    const { clock, frames, times } = setUp();
    await clock.advance(1000);
    for (let count = 0; count < 10; count += 1) frames.urgent();
    await clock.advance(49);
    expect(times()).toEqual([0, 1000]);
    await clock.advance(1);
    expect(times()).toEqual([0, 1000, 1050]);
  });

  it("step back to one a second, and say so, while the event loop is late (L9)", async () => {
    const { clock, source, happens, times } = setUp();
    source.delay = 26;
    for (let tick = 0; tick < 4000; tick += 50) {
      happens();
      await clock.advance(50);
    }
    // The first frame did not know yet.
    expect(times().slice(1, 4)).toEqual([250, 1250, 2250]);
    expect(source.drawn.at(-1)?.slow).toBe(true);
    source.delay = 3;
    happens();
    await clock.advance(1000);
    expect(source.drawn.at(-1)?.slow).toBe(false);
  });

  it("are skipped while the terminal has not taken the last one, and come when it has", async () => {
    const { clock, frames, source, happens, times } = setUp();
    await clock.advance(1000);
    source.blocked = true;
    happens();
    frames.urgent();
    await clock.advance(3000);
    expect(times()).toEqual([0]);
    source.blocked = false;
    await clock.advance(250);
    expect(times()).toHaveLength(2);
  });

  it("end when they are stopped", async () => {
    const { clock, frames, happens, times } = setUp();
    frames.stop();
    happens();
    await clock.advance(120_000);
    expect(times()).toEqual([0]);
    expect(clock.pendingTimers()).toBe(0);
  });
});

const minute = 60_000;

const expiring = (ms: number) => restMs(stateOf([fact("token.refreshed", { newExpiresAt: noon + ms })]), initialUi, noon);

describe("how long a frame stays true", () => {
  it("a minute while nothing is open, a second while something counts", () => {
    expect(restMs(stateOf(), initialUi, noon)).toBe(minute);
    expect(restMs(stateOf(afternoon), initialUi, noon)).toBe(1000);
    expect(restMs(stateOf([fact("attempt.failed")]), initialUi, noon)).toBe(1000);
    expect(restMs(stateOf([fact("server.stopping")]), initialUi, noon)).toBe(1000);
    expect(restMs(stateOf([fact("login.started"), fact("login.waiting")]), initialUi, noon)).toBe(1000);
  });

  it("a second from just before the token's last ten minutes", () => {
    expect([expiring(12 * minute), expiring(10 * minute), expiring(-minute)]).toEqual([minute, 1000, minute]);
  });

  it("until a question or a message ends", () => {
    expect(restMs(stateOf(), { ...initialUi, quitUntil: noon + 3000 }, noon)).toBe(3000);
    expect(restMs(stateOf(), { ...initialUi, message: { text: "m", alert: "good", until: noon - 5 } }, noon)).toBe(0);
  });
});
