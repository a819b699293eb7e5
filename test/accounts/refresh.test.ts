import { describe, expect, it } from "vitest";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { accountsOf, aKey, anAccount, hour, minute, noon } from "./an-account.ts";
import type { Answering } from "./an-engine.ts";
import { aGrant, createEngine, eventsOf, granted, laterAnswer, lostAnswer, refusedGrant, typesOf } from "./an-engine.ts";
import { createMemoryStore, diskFull } from "./memory-store.ts";
import { secret } from "../../src/lib/secret.ts";

const oneAccount = () => accountsOf(anAccount());

describe("a refresh that works", () => {
  it("asks once for all who want it at the same moment", async () => {
    const engine = await createEngine(oneAccount());
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => engine.refresher.refresh("ada", "mandatory")));
    expect(engine.sent).toEqual(["refresh-0"]);
    expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(["refreshed"]));
    expect(eventsOf(engine.events, "token.refreshed")).toHaveLength(1);
  });

  it("is durable before the new token is used", async () => {
    const engine = await createEngine(oneAccount());
    const seen: string[] = [];
    const update = engine.store.update;
    engine.store.update = async (change) => {
      seen.push(`before ${engine.registry.get("ada")?.account.accessToken.reveal()}`);
      const result = await update(change);
      seen.push(`after ${engine.registry.get("ada")?.account.accessToken.reveal()}`);
      return result;
    };
    await engine.refresher.refresh("ada", "lead");
    expect(seen).toEqual(["before access-0", "after access-0"]);
    expect(engine.registry.get("ada")?.account.accessToken.reveal()).toBe("access-1");
    expect(engine.store.current.get("ada")?.refreshToken?.reveal()).toBe("refresh-1");
  });

  it("keeps the old refresh token when the answer brings none (A15)", async () => {
    const engine = await createEngine(oneAccount(), {
      answer: (_account, call) => ({ outcome: "granted", grant: aGrant(call, noon + 8 * hour, { refreshToken: null }) }),
    });
    await engine.refresher.refresh("ada", "lead");
    expect(engine.store.current.get("ada")).toMatchObject({ refreshedAt: noon, lastError: null });
    expect(engine.store.current.get("ada")?.refreshToken?.reveal()).toBe("refresh-0");
    await engine.refresher.refresh("ada", "manual");
    expect(engine.sent).toEqual(["refresh-0", "refresh-0"]);
    expect(engine.store.current.get("ada")?.accessToken.reveal()).toBe("access-2");
  });

  it("says why, how long, and from which expiry to which", async () => {
    const gate = Promise.withResolvers<void>();
    const engine = await createEngine(oneAccount());
    await engine.clock.advance(1000);
    const grant = granted(1, createFakeClock());
    engine.answer = () => gate.promise.then(() => grant);
    const refreshed = engine.refresher.refresh("ada", "lead");
    await engine.clock.advance(1500);
    gate.resolve();
    await refreshed;
    expect(typesOf(engine.events)).toEqual(["account.added", "token.refreshing", "token.refreshed"]);
    expect(engine.events[2]).toEqual({ type: "token.refreshed", accountId: "ada", reason: "lead", durationMs: 1500, oldExpiresAt: noon + hour, newExpiresAt: noon + 8 * hour });
  });

  it("leaves a label and a priority alone that were changed while it ran", async () => {
    const engine = await createEngine(oneAccount());
    engine.answer = (_account, call) => {
      engine.store.current = accountsOf(anAccount({ label: "Renamed", priority: 7, unknown: { note: "kept" } }));
      return granted(call, engine.clock);
    };
    await engine.refresher.refresh("ada", "lead");
    expect(engine.store.current.get("ada")).toMatchObject({ label: "Renamed", priority: 7, unknown: { note: "kept" } });
    expect(engine.store.current.get("ada")?.accessToken.reveal()).toBe("access-1");
    expect(engine.registry.get("ada")?.account.label).toBe("Renamed");
  });
});

describe("several processes over one store", () => {
  it("only one asks, the others adopt its token and say who had the lock (A2)", async () => {
    const store = createMemoryStore(accountsOf(anAccount({ expiresAt: noon - 1 })));
    const clock = createFakeClock();
    const engines = await Promise.all(Array.from({ length: 8 }, () => createEngine(store, { clock })));
    const outcomes = await Promise.all(engines.map((engine) => engine.refresher.refresh("ada", "mandatory")));
    expect(engines.flatMap((engine) => engine.sent)).toEqual(["refresh-0"]);
    expect(outcomes.map(({ outcome }) => outcome).toSorted()).toEqual([...Array.from({ length: 7 }, () => "adopted"), "refreshed"]);
    expect(new Set(engines.map((engine) => engine.registry.get("ada")?.account.accessToken.reveal()))).toEqual(new Set(["access-1"]));
    expect(engines.flatMap((engine) => eventsOf(engine.events, "token.adopted")).map(({ heldBy }) => heldBy)).toEqual(Array.from({ length: 7 }, () => 4711));
  });

  it("asks with the newer refresh token when the newer access token is due too", async () => {
    const engine = await createEngine(oneAccount());
    engine.store.current = accountsOf(anAccount({ accessToken: secret("access-x"), refreshToken: secret("refresh-x"), expiresAt: noon + minute / 2 }));
    await engine.refresher.refresh("ada", "mandatory");
    expect(engine.sent).toEqual(["refresh-x"]);
  });

  it("does not ask again when the store's newer token came in while it waited for the lock", async () => {
    const engine = await createEngine(oneAccount());
    const { withRefreshLock } = engine.store;
    engine.store.withRefreshLock = async (accountId, work) => {
      engine.store.current = accountsOf(anAccount({ accessToken: secret("access-new"), refreshToken: secret("refresh-new"), expiresAt: noon + 8 * hour }));
      await engine.reload();
      return withRefreshLock(accountId, work);
    };
    expect(await engine.refresher.refresh("ada", "mandatory")).toMatchObject({ outcome: "adopted", expiresAt: noon + 8 * hour });
    expect(engine.sent).toEqual([]);
  });

  it("does not send the old token again after a lost answer when a sign-in came in meanwhile", async () => {
    const engine = await createEngine(oneAccount(), { answer: () => lostAnswer });
    const refreshing = engine.refresher.refresh("ada", "lead");
    await engine.clock.advance(500);
    engine.store.current = accountsOf(anAccount({ accessToken: secret("access-new"), refreshToken: secret("refresh-new"), expiresAt: noon + 8 * hour }));
    await engine.reload();
    await engine.clock.advance(1000);
    expect(await refreshing).toMatchObject({ outcome: "adopted" });
    expect(engine.sent).toEqual(["refresh-0"]);
  });

  it("a refused old token says nothing about the account that was signed in again meanwhile", async () => {
    const engine = await createEngine(oneAccount());
    engine.answer = async () => {
      engine.store.current = accountsOf(anAccount({ accessToken: secret("access-new"), refreshToken: secret("refresh-new"), expiresAt: noon + 8 * hour }));
      await engine.reload();
      return refusedGrant;
    };
    expect(await engine.refresher.refresh("ada", "lead")).toMatchObject({ outcome: "adopted" });
    expect(engine.registry.get("ada")).toMatchObject({ health: "healthy", needsLogin: null });
  });

  it("a holder that was stopped before it asked does not send a token that another has spent (A14)", async () => {
    const engine = await createEngine(oneAccount());
    const { withRefreshLock } = engine.store;
    engine.store.withRefreshLock = (accountId, work) =>
      withRefreshLock(accountId, (held) => {
        const { load } = engine.store;
        engine.store.load = async () => {
          const stale = await load();
          engine.store.load = load;
          engine.store.current = accountsOf(anAccount({ accessToken: secret("access-other"), refreshToken: secret("refresh-other"), expiresAt: noon + 8 * hour }));
          engine.store.stillMine = false;
          return stale;
        };
        return work(held);
      });
    expect(await engine.refresher.refresh("ada", "lead")).toMatchObject({ outcome: "adopted" });
    expect(engine.sent).toEqual([]);
  });

  it("a holder that was stopped does not write over the pair of the one that took over (A14)", async () => {
    const engine = await createEngine(oneAccount());
    engine.answer = (_account, call) => {
      engine.store.current = accountsOf(anAccount({ accessToken: secret("access-other"), refreshToken: secret("refresh-other"), expiresAt: noon + 8 * hour }));
      engine.store.stillMine = false;
      return granted(call, engine.clock);
    };
    expect(await engine.refresher.refresh("ada", "lead")).toMatchObject({ outcome: "adopted" });
    expect(engine.store.current.get("ada")?.refreshToken?.reveal()).toBe("refresh-other");
    expect(engine.registry.get("ada")?.account.accessToken.reveal()).toBe("access-other");
    expect(eventsOf(engine.events, "notice")).toMatchObject([{ level: "warning", code: "refresh-lock-lost" }]);
  });

  it("does not bring back an account that was removed while it was refreshed", async () => {
    const engine = await createEngine(oneAccount());
    engine.answer = (_account, call) => {
      engine.store.current = new Map();
      return granted(call, engine.clock);
    };
    expect(await engine.refresher.refresh("ada", "lead")).toMatchObject({ outcome: "failed", errorCode: "unknown-account" });
    expect(engine.store.current.size).toBe(0);
    expect(engine.registry.get("ada")).toBeNull();
  });
});

describe("a refresh that is refused", () => {
  it("takes the newer pair of the store instead of asking for a sign-in (A5)", async () => {
    const engine = await createEngine(oneAccount());
    engine.answer = () => {
      engine.store.current = accountsOf(anAccount({ accessToken: secret("access-new"), refreshToken: secret("refresh-new"), expiresAt: noon + 8 * hour }));
      return refusedGrant;
    };
    expect(await engine.refresher.refresh("ada", "lead")).toMatchObject({ outcome: "adopted", expiresAt: noon + 8 * hour });
    expect(engine.registry.get("ada")).toMatchObject({ health: "healthy", needsLogin: null });
    expect(typesOf(engine.events)).not.toContain("account.needs-login");
  });

  it("needs a sign-in with the server's words, keeps the record, and is not tried again by itself (A6)", async () => {
    const engine = await createEngine(oneAccount(), { answer: () => refusedGrant });
    expect(await engine.refresher.refresh("ada", "mandatory")).toMatchObject({ outcome: "failed", errorCode: "invalid_grant", needsLogin: true, nextTryAt: null });
    for (const reason of ["lead", "mandatory", "unauthorized", "wake"] as const) {
      expect(await engine.refresher.refresh("ada", reason)).toMatchObject({ outcome: "failed", needsLogin: true });
    }
    expect(engine.sent).toHaveLength(1);
    expect(engine.store.current.get("ada")?.refreshToken?.reveal()).toBe("refresh-0");
    expect(engine.store.current.get("ada")?.lastError).toBe("invalid_grant: Refresh token not found or invalid");
    expect(eventsOf(engine.events, "account.needs-login")).toEqual([
      { type: "account.needs-login", accountId: "ada", message: "invalid_grant: Refresh token not found or invalid", expiresAt: noon + hour },
    ]);
  });

  it("is remembered by the next start, until another token comes (A6)", async () => {
    const engine = await createEngine(accountsOf(anAccount({ lastError: "invalid_grant: Refresh token expired" })));
    expect(engine.registry.get("ada")?.health).toBe("needs-login");
    engine.store.current = accountsOf(anAccount({ accessToken: secret("access-new") }));
    await engine.reload();
    expect(engine.registry.get("ada")?.health).toBe("healthy");
    expect(typesOf(engine.events).slice(1)).toEqual(["account.healthy", "token.adopted"]);
  });

  it("can be asked for by hand, and leaves no trace of the refusal when that works", async () => {
    const engine = await createEngine(accountsOf(anAccount({ lastError: "invalid_grant: gone" })));
    expect(await engine.refresher.refresh("ada", "manual")).toMatchObject({ outcome: "refreshed" });
    expect(engine.registry.get("ada")).toMatchObject({ health: "healthy", needsLogin: null, account: { lastError: null } });
    expect(engine.store.current.get("ada")?.lastError).toBeNull();
    expect(typesOf(engine.events)).toContain("account.healthy");
  });

  it("does not write its words on tokens that came in at the last moment", async () => {
    const engine = await createEngine(oneAccount(), { answer: () => refusedGrant });
    const { update } = engine.store;
    engine.store.update = (change) => {
      engine.store.current = accountsOf(anAccount({ accessToken: secret("access-new"), refreshToken: secret("refresh-new") }));
      return update(change);
    };
    await engine.refresher.refresh("ada", "lead");
    expect(engine.store.writes).toBe(1);
    expect(engine.store.current.get("ada")?.lastError).toBeNull();
  });
});

const story = async (...answers: ReturnType<Answering>[]) => {
  const engine = await createEngine(oneAccount(), { answer: (_account, call) => answers[call - 1] ?? lostAnswer });
  const refreshed = engine.refresher.refresh("ada", "lead");
  await engine.clock.advance(2000);
  return { engine, outcome: await refreshed };
};

describe("a refresh whose answer is lost", () => {
  it("is tried once more, carefully", async () => {
    const { engine, outcome } = await story(lostAnswer, granted(2, createFakeClock()));
    expect(outcome).toMatchObject({ outcome: "refreshed" });
    expect(engine.sent).toEqual(["refresh-0", "refresh-0"]);
  });

  it("reads the store before that, and adopts what another process wrote", async () => {
    const engine = await createEngine(oneAccount());
    engine.answer = () => {
      engine.store.current = accountsOf(anAccount({ accessToken: secret("access-new"), refreshToken: secret("refresh-new") }));
      return lostAnswer;
    };
    const refreshed = engine.refresher.refresh("ada", "lead");
    await engine.clock.advance(2000);
    expect(await refreshed).toMatchObject({ outcome: "adopted" });
    expect(engine.sent).toHaveLength(1);
  });

  it("is not tried again when another process took the lock over during the pause", async () => {
    const engine = await createEngine(oneAccount(), { answer: () => lostAnswer });
    const refreshed = engine.refresher.refresh("ada", "lead");
    await engine.clock.advance(500);
    engine.store.stillMine = false;
    await engine.clock.advance(1000);
    expect(await refreshed).toMatchObject({ outcome: "failed", errorCode: "outcome-unknown", needsLogin: false });
    expect(engine.sent).toHaveLength(1);
  });

  it("is not tried again for an account that was removed during the pause", async () => {
    const engine = await createEngine(oneAccount(), { answer: () => lostAnswer });
    const refreshed = engine.refresher.refresh("ada", "lead");
    await engine.clock.advance(500);
    engine.store.current = new Map();
    await engine.clock.advance(1000);
    expect(await refreshed).toMatchObject({ outcome: "failed", errorCode: "unknown-account" });
    expect(engine.sent).toHaveLength(1);
  });

  it("has its own code, is not a lost login, and is never a loop", async () => {
    const { engine, outcome } = await story();
    expect(outcome).toMatchObject({ outcome: "failed", errorCode: "outcome-unknown", needsLogin: false });
    expect(engine.registry.get("ada")?.health).toBe("healthy");
    for (let second = 0; second < 120; second += 1) {
      await engine.refresher.refresh("ada", "mandatory");
      await engine.clock.advance(1000);
    }
    expect(engine.sent).toHaveLength(2);
  });

  it("says so when the second try is refused", async () => {
    const { outcome } = await story(lostAnswer, refusedGrant);
    expect(outcome).toMatchObject({ outcome: "failed", errorCode: "invalid_grant", needsLogin: true });
    expect(outcome).toHaveProperty("message", "Refresh token not found or invalid (the answer to the try before it was lost)");
  });
});

describe("what cannot be refreshed", () => {
  it("an API key, an unknown account, and one without a refresh token each have their words", async () => {
    const engine = await createEngine(accountsOf(aKey(), anAccount({ refreshToken: null })));
    expect(await engine.refresher.refresh("key", "manual")).toMatchObject({ errorCode: "nothing-to-refresh", needsLogin: false });
    expect(await engine.refresher.refresh("nobody", "manual")).toMatchObject({ errorCode: "unknown-account" });
    expect(await engine.refresher.refresh("ada", "unauthorized")).toMatchObject({ errorCode: "no-refresh-token", needsLogin: true });
    expect(engine.sent).toEqual([]);
    expect(engine.registry.get("key")?.health).toBe("healthy");
  });

  it("a store that cannot be read is a failure with a pause, not a lost login", async () => {
    const engine = await createEngine(oneAccount());
    engine.store.readFault = diskFull;
    expect(await engine.refresher.refresh("ada", "lead")).toMatchObject({ outcome: "failed", errorCode: "store-unwritable", needsLogin: false });
    expect(engine.refresher.nextTryAt("ada")).toBeGreaterThan(noon);
    expect(engine.sent).toEqual([]);
  });

  it("says nothing secret in any event", async () => {
    const engine = await createEngine(oneAccount(), { answer: (_account, call) => (call === 1 ? laterAnswer() : refusedGrant) });
    await engine.refresher.refresh("ada", "lead");
    await engine.refresher.refresh("ada", "manual");
    expect(JSON.stringify(engine.events)).not.toMatch(/access-\d|refresh-\d/);
  });
});
