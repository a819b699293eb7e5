// Clocks that jump and laptops that sleep, through the whole proxy: each is told, the token survives, and
// there is never a storm of refreshes. The server keeps its own time.
import { describe, expect, it } from "vitest";
import type { Clock } from "../../src/lib/clock.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import type { FakeClock } from "../helpers/fake-clock.ts";
import { eventually } from "../helpers/eventually.ts";
import { startApp } from "../helpers/running-app.ts";
import type { RunningApp } from "../helpers/running-app.ts";

const hour = 3_600_000;
const day = 24 * hour;

/** A server whose clock is right: it goes with ours until ours jumps, and on while we sleep. */
const serverTime = (clock: FakeClock) => {
  const startsAt = clock.now();
  const slept = { ms: 0 };
  const serverClock: Clock = { ...clock, now: () => startsAt + clock.monotonic() + slept.ms };
  return { serverClock, slept };
};

const signedIn = async () => {
  const clock = createFakeClock();
  const { serverClock, slept } = serverTime(clock);
  const running = await startApp({ clock, upstream: { clock: serverClock } });
  await running.signIn();
  return { clock, slept, running };
};

const ask = async ({ listening, key }: RunningApp): Promise<number> => {
  const body = JSON.stringify({ model: "claude-sonnet-4-5", max_tokens: 16, messages: [{ role: "user", content: "Say something short." }] });
  const response = await fetch(`${listening.url}/v1/messages`, { method: "POST", body, headers: { authorization: `Bearer ${key}` } });
  await response.text();
  return response.status;
};

const jumps = ({ events }: RunningApp) => events.filter((event) => event.type === "clock.jumped");
const refreshes = ({ upstream }: RunningApp): number => upstream.tokenCalls().refresh_token;

/** Whatever refresh has begun is over: only then may the fake clock go on, or it would run into the call's time limit. */
const settled = async ({ events }: RunningApp): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  const count = (...types: readonly string[]): number => events.filter(({ type }) => types.includes(type)).length;
  await eventually(() => count("token.refreshing") - count("token.refreshed", "token.adopted", "token.refresh-failed"), (open) => open === 0);
};

/** Ten minutes of sweeps. */
const tenMinutes = async ({ clock, running }: { readonly clock: FakeClock; readonly running: RunningApp }): Promise<void> => {
  for (let sweep = 0; sweep < 20; sweep += 1) {
    await clock.advance(30_000);
    await settled(running);
  }
};

describe("the wall clock", () => {
  it("a day ahead: told once, one refresh, and the next request is served (A11)", async () => {
    const { clock, running } = await signedIn();
    clock.jump(day);
    await clock.advance(30_000);
    expect(await running.event("clock.jumped")).toMatchObject({ kind: "suspend", deltaMs: day });
    expect(await running.event("token.refreshed")).toMatchObject({ reason: "wake" });
    expect(await ask(running)).toBe(200);
    await tenMinutes({ clock, running });
    expect([jumps(running).length, refreshes(running)]).toEqual([1, 1]);
  });

  it("a day back: told once, no refresh, and the token is still refreshed before the server ends it (A11)", async () => {
    const { clock, running } = await signedIn();
    clock.jump(-day);
    await clock.advance(30_000);
    expect(await running.event("clock.jumped")).toMatchObject({ kind: "back", deltaMs: -day });
    expect(await ask(running)).toBe(200);
    await tenMinutes({ clock, running });
    expect([jumps(running).length, refreshes(running)]).toEqual([1, 0]);
    await clock.advance(7.7 * hour);
    expect(refreshes(running)).toBe(0);
    await tenMinutes({ clock, running });
    expect(await running.event("token.refreshed")).toMatchObject({ reason: "lead" });
    expect([await ask(running), refreshes(running)]).toEqual([200, 1]);
  });

  it("forward and back again and again: at most one refresh a minute (A11)", async () => {
    const { clock, running } = await signedIn();
    for (let minute = 0; minute < 6; minute += 1) {
      clock.jump(minute % 2 === 0 ? 90 * day : -90 * day);
      await clock.advance(30_000);
      await settled(running);
      await clock.advance(30_000);
      await settled(running);
      expect(await ask(running)).toBe(200);
    }
    expect(refreshes(running)).toBeLessThanOrEqual(6);
    expect(running.events.filter(({ type }) => type === "account.needs-login")).toEqual([]);
  });
});

const asleep = async () => {
  const story = await signedIn();
  story.slept.ms += 10 * hour;
  story.clock.jump(10 * hour);
  return story;
};

describe("ten hours of sleep", () => {
  it("the first request after it waits for one refresh and is served", async () => {
    const { clock, running } = await asleep();
    expect(await Promise.all(Array.from({ length: 20 }, () => ask(running)))).toEqual(Array.from({ length: 20 }, () => 200));
    await tenMinutes({ clock, running });
    expect(jumps(running)).toMatchObject([{ kind: "suspend", deltaMs: 10 * hour }]);
    expect(refreshes(running)).toBe(1);
  });

  it("without any request the sweep notices it and refreshes", async () => {
    const { clock, running } = await asleep();
    await clock.advance(30_000);
    expect(await running.event("token.refreshed")).toMatchObject({ reason: "wake" });
    expect([await ask(running), refreshes(running)]).toEqual([200, 1]);
  });
});
