import { describe, expect, it } from "vitest";
import { AppError } from "../../src/messages/errors.ts";
import { accountsOf, aKey, anAccount, hour, minute, noon } from "./an-account.ts";
import { createEngine, eventsOf, failedBefore, granted, laterAnswer, refusedGrant } from "./an-engine.ts";

const day = 24 * hour;
const living = (ms: number) => accountsOf(anAccount({ expiresAt: noon + ms }));

describe("the refresh loop", () => {
  it("refreshes in the background once the lead has begun, and not before", async () => {
    const engine = await createEngine(living(10 * minute));
    engine.refreshLoop.start();
    await engine.clock.advance(4.5 * minute);
    expect(engine.sent).toEqual([]);
    await engine.clock.advance(minute);
    expect(engine.sent).toEqual(["refresh-0"]);
    expect(eventsOf(engine.events, "token.refreshed")).toMatchObject([{ reason: "lead" }]);
    await engine.clock.advance(hour);
    expect(engine.sent).toHaveLength(1);
  });

  it("replaces a token by age when that is asked for", async () => {
    const engine = await createEngine(accountsOf(anAccount({ expiresAt: noon + 8 * hour, refreshedAt: noon })), { rotateAfterMs: hour });
    engine.refreshLoop.start();
    await engine.clock.advance(hour + 30_000);
    expect(eventsOf(engine.events, "token.refreshed")).toMatchObject([{ reason: "rotate" }]);
  });

  it("leaves alone what is disabled, needs a sign-in, is a key, or has no refresh token", async () => {
    const engine = await createEngine(accountsOf(
      anAccount({ id: "off", enabled: false, expiresAt: noon }),
      anAccount({ id: "dead", lastError: "invalid_grant: gone", expiresAt: noon }),
      anAccount({ id: "bare", refreshToken: null, expiresAt: noon }),
      aKey(),
    ));
    await engine.refreshLoop.look();
    await engine.clock.advance(0);
    expect(engine.sent).toEqual([]);
    expect(eventsOf(engine.events, "account.needs-login")).toMatchObject([{ accountId: "bare" }]);
  });

  it("follows the store: a sign-in, a change and a removal by another process", async () => {
    const engine = await createEngine(living(hour));
    engine.store.current = accountsOf(anAccount({ enabled: false, label: "Work" }), anAccount({ id: "bob" }));
    await engine.refreshLoop.look();
    engine.store.current = accountsOf(anAccount({ id: "bob" }));
    await engine.refreshLoop.look();
    expect(engine.events.slice(1)).toMatchObject([
      { type: "account.disabled", accountId: "ada" },
      { type: "account.changed", accountId: "ada", label: "Work" },
      { type: "account.added", accountId: "bob" },
      { type: "account.removed", accountId: "ada" },
    ]);
  });

  it("sees within two seconds that another process wrote the store, and does not read it otherwise", async () => {
    const engine = await createEngine(living(hour));
    engine.refreshLoop.start();
    engine.store.current = accountsOf(anAccount(), anAccount({ id: "bob" }));
    await engine.clock.advance(2000);
    expect(engine.registry.get("bob")).toBeNull();
    engine.storeChanged = true;
    await engine.clock.advance(2000);
    expect(engine.registry.get("bob")).not.toBeNull();
  });

  it("does not read the store a second time while a slow reading is under way", async () => {
    const engine = await createEngine(living(hour));
    engine.storeChanged = true;
    const gate = Promise.withResolvers<void>();
    const { load } = engine.store;
    let readings = 0;
    engine.store.load = async () => {
      readings += 1;
      await gate.promise;
      return load();
    };
    engine.refreshLoop.start();
    await engine.clock.advance(2 * minute);
    // One of the follower, one of the look.
    expect(readings).toBe(2);
    gate.resolve();
    await engine.clock.advance(2000);
    expect(readings).toBe(3);
  });

  it("goes on when the store cannot be read, and says so once", async () => {
    const engine = await createEngine(living(4 * minute));
    engine.store.readFault = new AppError({ code: "store-unreadable", message: "The file is torn.", hint: "Look at it." });
    await engine.refreshLoop.look();
    await engine.refreshLoop.look();
    const told = (): unknown[] => eventsOf(engine.events, "notice").filter(({ code }) => code === "store-unreadable");
    expect(told()).toEqual([{ type: "notice", level: "error", code: "store-unreadable", message: "The file is torn.", hint: "Look at it." }]);
    engine.store.readFault = null;
    await engine.refreshLoop.look();
    engine.store.readFault = new AppError({ code: "store-unreadable", message: "The file is torn." });
    await engine.refreshLoop.look();
    expect(told()).toHaveLength(2);
  });

  it("keeps the failing account's pauses and never asks more than once a minute (A7)", async () => {
    const engine = await createEngine(living(minute), { answer: () => laterAnswer() });
    engine.refreshLoop.start();
    await engine.clock.advance(hour);
    expect(engine.sent.length).toBeGreaterThanOrEqual(10);
    expect(engine.sent.length).toBeLessThanOrEqual(20);
  });

  it("tries as soon as the pause of an earlier failure is over", async () => {
    const engine = await createEngine(living(minute), { past: [failedBefore("ada", noon + 45_000)] });
    engine.refreshLoop.start();
    await engine.clock.advance(30_000);
    expect(engine.sent).toEqual([]);
    await engine.clock.advance(30_000);
    expect(engine.sent).toHaveLength(1);
  });

  it("a token that lives shorter than the lead is not refreshed at every look", async () => {
    for (const [life, most] of [[40_000, 10], [4 * minute, 10]] as const) {
      const engine = await createEngine(living(minute));
      engine.answer = (_account, call) => granted(call, engine.clock, life);
      engine.refreshLoop.start();
      for (let second = 0; second < 600; second += 1) await engine.clock.advance(1000);
      expect(engine.sent.length).toBeGreaterThan(1);
      expect(engine.sent.length).toBeLessThanOrEqual(most);
    }
  });

  it("leaves alone what a request has just refreshed", async () => {
    const engine = await createEngine(living(1));
    engine.answer = (_account, call) => granted(call, engine.clock, 4 * minute);
    await engine.clock.advance(1);
    await engine.credentials.acquire({ sessionId: null, accountId: null });
    await engine.refreshLoop.look();
    await engine.clock.advance(0);
    expect(engine.sent).toHaveLength(1);
  });

  it("does not ask again after a refusal (A6)", async () => {
    const engine = await createEngine(living(minute), { answer: () => refusedGrant });
    engine.refreshLoop.start();
    await engine.clock.advance(2 * hour);
    expect(engine.sent).toHaveLength(1);
  });

  it("stops", async () => {
    const engine = await createEngine(living(hour));
    engine.refreshLoop.start();
    engine.refreshLoop.start();
    engine.refreshLoop.stop();
    expect(engine.clock.pendingTimers()).toBe(0);
  });
});

describe("clocks that jump", () => {
  it("a sleep of 10 hours is noticed at the next look, and the token is refreshed for that reason", async () => {
    const engine = await createEngine(living(8 * hour));
    engine.refreshLoop.start();
    await engine.clock.advance(minute);
    engine.clock.jump(10 * hour);
    await engine.clock.advance(30_000);
    expect(eventsOf(engine.events, "clock.jumped")).toEqual([{ type: "clock.jumped", deltaMs: 10 * hour, kind: "suspend" }]);
    expect(eventsOf(engine.events, "token.refreshed")).toMatchObject([{ reason: "wake" }]);
  });

  it("a process that was stopped looks at once and says so", async () => {
    const engine = await createEngine(living(hour));
    await engine.clock.advance(5 * minute);
    await engine.refreshLoop.look();
    expect(eventsOf(engine.events, "clock.jumped")).toMatchObject([{ deltaMs: 4.5 * minute, kind: "suspend" }]);
  });

  it("a second of correction is no jump", async () => {
    const engine = await createEngine(living(hour));
    engine.clock.jump(1000);
    await engine.refreshLoop.look();
    expect(eventsOf(engine.events, "clock.jumped")).toEqual([]);
  });

  it("a token that was set back in time still ends when its life is over", async () => {
    const engine = await createEngine(living(hour));
    engine.refreshLoop.start();
    engine.clock.jump(-day);
    await engine.clock.advance(hour);
    expect(engine.sent).toHaveLength(1);
    expect(eventsOf(engine.events, "clock.jumped")).toMatchObject([{ kind: "back" }]);
  });

  for (const days of [90, -90, 1, -1]) {
    it(`a clock that goes ${days} days off makes no storm: at most one call a minute, with requests and without (A11)`, async () => {
      const engine = await createEngine(living(hour));
      engine.refreshLoop.start();
      engine.clock.jump(days * day);
      for (let second = 0; second < 600; second += 1) {
        void engine.credentials.acquire({ sessionId: null, accountId: null });
        await engine.clock.advance(1000);
      }
      expect(engine.sent.length).toBeLessThanOrEqual(1);
    });
  }

  it("a clock that swings to and fro every few seconds makes at most one call a minute (A11)", async () => {
    const engine = await createEngine(living(hour));
    engine.answer = (_account, call) => granted(call, engine.clock);
    engine.refreshLoop.start();
    for (let round = 0; round < 120; round += 1) {
      engine.clock.jump(round % 2 === 0 ? 90 * day : -90 * day);
      void engine.credentials.acquire({ sessionId: null, accountId: null });
      await engine.clock.advance(5000);
    }
    expect(engine.sent.length).toBeLessThanOrEqual(11);
  });
});
