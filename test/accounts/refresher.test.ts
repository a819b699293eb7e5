import { describe, expect, it } from "vitest";
import { secret } from "../../src/lib/secret.ts";
import { accountsOf, anAccount, hour, minute, noon } from "./an-account.ts";
import { createEngine, eventsOf, failedBefore, granted, laterAnswer } from "./an-engine.ts";
import { diskFull } from "./memory-store.ts";

const oneAccount = () => accountsOf(anAccount());

describe("a token endpoint that answers 429, 500 or a page (A7)", () => {
  it("is left alone for a growing while, and the token that lives keeps serving", async () => {
    const engine = await createEngine(oneAccount(), { answer: () => laterAnswer() });
    const waits: number[] = [];
    for (let round = 0; round < 9; round += 1) {
      const outcome = await engine.refresher.refresh("ada", "lead");
      const nextTryAt = outcome.outcome === "failed" ? (outcome.nextTryAt ?? 0) : 0;
      waits.push(nextTryAt - engine.clock.now());
      expect(await engine.refresher.refresh("ada", "mandatory")).toMatchObject({ outcome: "failed", errorCode: "http-500" });
      await engine.clock.advance(nextTryAt - engine.clock.now());
    }
    expect(engine.sent).toHaveLength(9);
    expect(waits.map((ms) => ms / 1000)).toEqual([3.75, 7.5, 15, 30, 60, 120, 225, 225, 225]);
    expect(engine.registry.get("ada")).toMatchObject({ health: "healthy", needsLogin: null });
    expect(eventsOf(engine.events, "token.refresh-failed").map(({ failures }) => failures)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("is never asked before its Retry-After is over", async () => {
    const engine = await createEngine(oneAccount(), { answer: () => laterAnswer(40 * minute) });
    await engine.refresher.refresh("ada", "lead");
    expect(engine.refresher.nextTryAt("ada")).toBeGreaterThanOrEqual(noon + 40 * minute);
    await engine.clock.advance(40 * minute - 1);
    await engine.refresher.refresh("ada", "mandatory");
    expect(engine.sent).toHaveLength(1);
  });

  it("counts from one again after a success", async () => {
    const engine = await createEngine(oneAccount(), { answer: () => laterAnswer() });
    await engine.refresher.refresh("ada", "lead");
    engine.answer = (_account, call) => granted(call, engine.clock);
    await engine.refresher.refresh("ada", "manual");
    engine.answer = () => laterAnswer();
    await engine.refresher.refresh("ada", "lead");
    expect(eventsOf(engine.events, "token.refresh-failed").map(({ failures }) => failures)).toEqual([1, 1]);
  });

  it("does not hold up the tokens of a new sign-in", async () => {
    const engine = await createEngine(oneAccount(), { answer: () => laterAnswer(hour) });
    await engine.refresher.refresh("ada", "lead");
    const anew = anAccount({ accessToken: secret("access-new"), refreshToken: secret("refresh-new") });
    engine.store.current = accountsOf(anew);
    engine.registry.put(anew);
    engine.answer = (_account, call) => granted(call, engine.clock);
    expect(await engine.refresher.refresh("ada", "unauthorized")).toMatchObject({ outcome: "refreshed" });
  });

  it("keeps its pause across a restart, but not for longer than an hour", async () => {
    const engine = await createEngine(accountsOf(anAccount(), anAccount({ id: "eve" })), {
      past: [failedBefore("ada", noon + 2 * minute), failedBefore("eve", noon + 999 * hour)],
    });
    expect(await engine.refresher.refresh("ada", "lead")).toMatchObject({ errorCode: "http-429", nextTryAt: noon + 2 * minute });
    await engine.clock.advance(2 * minute);
    expect(await engine.refresher.refresh("ada", "lead")).toMatchObject({ outcome: "refreshed" });
    expect(engine.refresher.nextTryAt("eve")).toBe(noon + hour);
  });
});

describe("a disk that does not take the new token (D2)", () => {
  it("the new pair serves from memory, the old refresh token is never sent again, the write is retried", async () => {
    const engine = await createEngine(oneAccount());
    engine.store.fault = diskFull;
    expect(await engine.refresher.refresh("ada", "lead")).toMatchObject({ outcome: "refreshed" });
    expect(engine.registry.get("ada")?.account.accessToken.reveal()).toBe("access-1");
    expect(engine.store.current.get("ada")?.accessToken.reveal()).toBe("access-0");
    expect(eventsOf(engine.events, "notice")).toMatchObject([{ level: "error", code: "token-not-stored", hint: "Free some space." }]);

    await engine.reload();
    expect(engine.registry.get("ada")?.account.accessToken.reveal()).toBe("access-1");
    await engine.refresher.refresh("ada", "manual");
    expect(engine.sent).toEqual(["refresh-0", "refresh-1"]);

    engine.store.fault = null;
    await engine.clock.advance(2 * minute);
    expect(engine.store.current.get("ada")?.refreshToken?.reveal()).toBe("refresh-2");
    expect(eventsOf(engine.events, "notice").at(-1)).toMatchObject({ level: "info", code: "token-stored" });
    expect(engine.clock.pendingTimers()).toBe(0);
  });

  it("a sign-in of another process meanwhile is the newer truth", async () => {
    const engine = await createEngine(oneAccount());
    engine.store.fault = diskFull;
    await engine.refresher.refresh("ada", "lead");
    engine.store.current = accountsOf(anAccount({ accessToken: secret("access-login"), refreshToken: secret("refresh-login") }));
    engine.store.fault = null;
    await engine.reload();
    expect(engine.registry.get("ada")?.account.accessToken.reveal()).toBe("access-login");
    await engine.clock.advance(2 * minute);
    expect(engine.store.current.get("ada")?.refreshToken?.reveal()).toBe("refresh-login");
  });

  it("an old copy of the file put back by hand does not bring the spent token back", async () => {
    const engine = await createEngine(oneAccount());
    await engine.refresher.refresh("ada", "lead");
    engine.store.current = oneAccount();
    await engine.reload();
    await engine.refresher.refresh("ada", "manual");
    expect(engine.sent).toEqual(["refresh-0", "refresh-1"]);
    expect(engine.store.current.get("ada")?.refreshToken?.reveal()).toBe("refresh-2");
  });
});

describe("a shutdown while a refresh is under way (A25)", () => {
  it("waits until the token is stored", async () => {
    const engine = await createEngine(oneAccount());
    const gate = Promise.withResolvers<void>();
    engine.answer = async (_account, call) => {
      await gate.promise;
      return granted(call, engine.clock);
    };
    void engine.refresher.refresh("ada", "lead");
    let drained = false;
    const drain = engine.refresher.drain().then(() => (drained = true));
    await engine.clock.advance(9000);
    expect(drained).toBe(false);
    gate.resolve();
    await drain;
    expect(engine.store.current.get("ada")?.accessToken.reveal()).toBe("access-1");
  });

  it("does not wait longer than ten seconds", async () => {
    const engine = await createEngine(oneAccount(), { answer: () => new Promise(() => {}) });
    void engine.refresher.refresh("ada", "lead");
    let drained = false;
    void engine.refresher.drain().then(() => (drained = true));
    await engine.clock.advance(10_000);
    expect(drained).toBe(true);
  });

  it("tries an outstanding write once more", async () => {
    const engine = await createEngine(oneAccount());
    engine.store.fault = diskFull;
    await engine.refresher.refresh("ada", "lead");
    engine.store.fault = null;
    await engine.refresher.drain();
    expect(engine.store.current.get("ada")?.accessToken.reveal()).toBe("access-1");
  });
});
