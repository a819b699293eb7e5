import { describe, expect, it } from "vitest";
import { secret } from "../../src/lib/secret.ts";
import type { Credential, CredentialOutcome } from "../../src/accounts/credentials.ts";
import { accountsOf, aKey, anAccount, hour, minute, noon } from "./an-account.ts";
import type { Engine } from "./an-engine.ts";
import { anyone, createEngine, eventsOf, granted, laterAnswer, refusedGrant, tokenOf } from "./an-engine.ts";

const soon = (ms: number) => accountsOf(anAccount({ expiresAt: noon + ms }));
const isPromise = (outcome: CredentialOutcome | Promise<CredentialOutcome>): boolean => outcome instanceof Promise;

const signedIn = (id: string) => anAccount({ id, accessToken: secret(`access-${id}`) });
const three = () => accountsOf(...["ada", "bob", "eve"].map(signedIn));

const used = async (engine: Engine): Promise<Credential> => {
  const outcome = await engine.credentials.acquire(anyone);
  if (!outcome.ok) throw new Error(outcome.message);
  return outcome.credential;
};

describe("a credential for one request", () => {
  it("comes at once while the token is fresh, also inside the lead", async () => {
    for (const life of [hour, 4 * minute, minute + 1]) {
      const engine = await createEngine(soon(life));
      expect(engine.credentials.acquire(anyone)).toEqual({
        ok: true,
        credential: { accountId: "ada", kind: "oauth", token: secret("access-0"), baseUrl: null, reason: "only" },
      });
      expect(engine.sent).toEqual([]);
    }
  });

  it("waits for the refresh inside the mandatory window", async () => {
    const engine = await createEngine(soon(minute));
    const outcome = engine.credentials.acquire(anyone);
    expect(isPromise(outcome)).toBe(true);
    expect(tokenOf(await outcome)).toBe("access-1");
    expect(eventsOf(engine.events, "token.refreshed")).toMatchObject([{ reason: "mandatory" }]);
  });

  it("100 requests with an expired token make one call, and all are served (A1)", async () => {
    const engine = await createEngine(soon(-1));
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => engine.credentials.acquire(anyone)));
    expect(new Set(outcomes.map(tokenOf))).toEqual(new Set(["access-1"]));
    expect(engine.sent).toEqual(["refresh-0"]);
  });

  it("is the old token while that lives, when the refresh fails or takes too long (A7)", async () => {
    const failing = await createEngine(soon(50_000), { answer: () => laterAnswer() });
    expect(tokenOf(await failing.credentials.acquire(anyone))).toBe("access-0");
    expect(isPromise(failing.credentials.acquire(anyone))).toBe(false);
    const hanging = await createEngine(soon(50_000), { answer: () => new Promise(() => {}) });
    const outcome = hanging.credentials.acquire(anyone);
    await hanging.clock.advance(10_000);
    expect(tokenOf(await outcome)).toBe("access-0");
  });

  it("goes to another account when the first one's token has ended and cannot be had", async () => {
    const engine = await createEngine(accountsOf(anAccount({ expiresAt: noon - 1 }), anAccount({ id: "bob", accessToken: secret("access-bob") })), {
      answer: () => refusedGrant,
    });
    expect(tokenOf(await engine.credentials.acquire(anyone))).toBe("access-bob");
    expect(engine.credentials.acquire(anyone)).toMatchObject({ ok: true, credential: { accountId: "bob", reason: "round-robin" } });
  });

  it("is still the living token of an account that needs a new sign-in", async () => {
    const engine = await createEngine(soon(30_000), { answer: () => refusedGrant });
    expect(tokenOf(await engine.credentials.acquire(anyone))).toBe("access-0");
    await engine.clock.advance(30_001);
    expect(await engine.credentials.acquire(anyone)).toMatchObject({ ok: false, message: expect.stringContaining("Refresh token not found or invalid") });
  });

  it("a token that lives for 30 seconds only is not asked for again with every request", async () => {
    const engine = await createEngine(soon(-1));
    engine.answer = (_account, call) => granted(call, engine.clock, 30_000);
    for (let second = 0; second < 15; second += 1) {
      expect((await engine.credentials.acquire(anyone)).ok).toBe(true);
      await engine.clock.advance(1000);
    }
    expect(engine.sent).toHaveLength(1);
    await engine.credentials.acquire(anyone);
    expect(engine.sent).toHaveLength(2);
  });

  it("an account at its limit is still asked when there is no other", async () => {
    const engine = await createEngine(soon(hour));
    const first = await engine.credentials.acquire(anyone);
    if (!first.ok) throw new Error(first.message);
    engine.credentials.observe(first.credential, { status: 429, headers: { "anthropic-ratelimit-unified-status": "rejected", "retry-after": "600" } });
    expect(engine.registry.get("ada")?.health).toBe("limited");
    expect(engine.credentials.acquire(anyone)).toMatchObject({ ok: true, credential: { reason: "least-bad" } });
  });

  it("carries the account's own base URL, and nothing of the mandatory window for a key", async () => {
    const engine = await createEngine(accountsOf(aKey({ endpoints: { baseUrl: "https://other.example" } })));
    expect(engine.credentials.acquire(anyone)).toMatchObject({ ok: true, credential: { kind: "api_key", baseUrl: "https://other.example" } });
  });
});

const advice = async (engine: Engine): Promise<unknown> => {
  const outcome = await engine.credentials.acquire(anyone);
  return outcome.ok ? null : [outcome.hint, outcome.retryAfterSeconds];
};

describe("when no account can serve", () => {
  it("says whether there is none, or all are off, or which one to sign in", async () => {
    expect(tokenOf(await (await createEngine(new Map())).credentials.acquire(anyone))).toBe("No account is signed in.");
    expect(tokenOf(await (await createEngine(accountsOf(anAccount({ enabled: false })))).credentials.acquire(anyone))).toBe("Every account is disabled.");
    const dead = await createEngine(accountsOf(anAccount({ expiresAt: noon - 1, lastError: "invalid_grant: gone" })));
    expect(tokenOf(await dead.credentials.acquire(anyone))).toBe("Sign in again (ada): invalid_grant: gone");
    const named = await createEngine(soon(hour));
    expect(tokenOf(await named.credentials.acquire({ sessionId: null, accountId: "bob" }))).toBe("There is no account bob.");
    expect(tokenOf(await named.credentials.acquire({ sessionId: null, accountId: "ada" }))).toBe("access-0");
  });

  it("names the earliest moment of the next try, and why the last one failed (A18)", async () => {
    const engine = await createEngine(accountsOf(anAccount({ expiresAt: noon - 1 }), anAccount({ id: "bob", expiresAt: noon - 1 })), {
      answer: (account) => laterAnswer(account.id === "bob" ? 20_000 : 200_000),
    });
    const outcome = await engine.credentials.acquire(anyone);
    expect(outcome).toEqual({
      ok: false,
      code: "sign-in-needed",
      retryAfterSeconds: 21,
      hint: "Nothing to do: it is tried again by itself.",
      message: "The token of ada, bob has ended and could not be refreshed yet (The token endpoint answered 500); the next try is in 21 s.",
    });
  });

  it("says to sign in when only a person can help, and that there is nothing to do when it is tried again by itself", async () => {
    const signIn = ["Sign in: claude-oauth-proxy login.", null];
    expect(await advice(await createEngine(new Map()))).toEqual(signIn);
    expect(await advice(await createEngine(soon(-1), { answer: () => refusedGrant }))).toEqual(signIn);
    expect(await advice(await createEngine(soon(-1), { answer: () => laterAnswer() }))).toEqual(["Nothing to do: it is tried again by itself.", 4]);
  });

  it("gives the same advice to a request that the upstream refused", async () => {
    const dead = await createEngine(soon(hour), { answer: () => refusedGrant });
    expect(await dead.credentials.renew(await used(dead))).toMatchObject({ hint: "Sign in: claude-oauth-proxy login.", retryAfterSeconds: null });
    const waiting = await createEngine(soon(hour), { answer: () => laterAnswer() });
    expect(await waiting.credentials.renew(await used(waiting))).toMatchObject({ hint: "Nothing to do: it is tried again by itself.", retryAfterSeconds: 4 });
  });

  it("a named account is refused with its own reason, although another one serves", async () => {
    const engine = await createEngine(accountsOf(anAccount({ enabled: false }), signedIn("bob"), anAccount({ id: "eve", expiresAt: noon - 1, refreshToken: null })));
    const named = async (accountId: string) => tokenOf(await engine.credentials.acquire({ sessionId: null, accountId }));
    expect(await named("ada")).toBe("The account ada is disabled.");
    expect(await named("eve")).toBe("Sign in again (eve): The token has ended and there is no refresh token. Sign in again.");
    expect(await named("nobody")).toBe("There is no account nobody.");
    expect(await named("bob")).toBe("access-bob");
  });

  it("looks into the store once before a request is turned away", async () => {
    const engine = await createEngine(new Map());
    engine.store.current = soon(hour);
    expect(tokenOf(await engine.credentials.acquire(anyone))).toBe("access-0");
    engine.store.current = new Map();
    await engine.reload();
    expect(isPromise(engine.credentials.acquire(anyone))).toBe(false);
    await engine.clock.advance(1000);
    expect(isPromise(engine.credentials.acquire(anyone))).toBe(true);
  });
});

describe("after a 401", () => {
  it("refreshes once; a token that this brought is not refreshed again for the same complaint (A8)", async () => {
    const engine = await createEngine(soon(hour));
    const renewed = await engine.credentials.renew(await used(engine));
    expect(tokenOf(renewed)).toBe("access-1");
    expect(eventsOf(engine.events, "token.refreshed")).toMatchObject([{ reason: "unauthorized" }]);
    expect(await engine.credentials.renew(await used(engine))).toMatchObject({ ok: false });
    expect(engine.sent).toHaveLength(1);
    await engine.clock.advance(minute);
    expect(tokenOf(await engine.credentials.renew(await used(engine)))).toBe("access-2");
  });

  it("uses a newer token without asking, from this process or from the store", async () => {
    const engine = await createEngine(soon(hour));
    const old = await used(engine);
    await engine.refresher.refresh("ada", "manual");
    expect(tokenOf(await engine.credentials.renew(old))).toBe("access-1");
    engine.store.current = accountsOf(anAccount({ accessToken: secret("access-x"), refreshToken: secret("refresh-x") }));
    expect(tokenOf(await engine.credentials.renew(await used(engine)))).toBe("access-x");
    expect(engine.sent).toHaveLength(1);
  });

  it("a token that is refused and cannot be had anew is not sent again", async () => {
    const engine = await createEngine(soon(hour), { answer: () => refusedGrant });
    expect(await engine.credentials.renew(await used(engine))).toMatchObject({ ok: false, message: "Refresh token not found or invalid" });
    expect(await engine.credentials.acquire(anyone)).toMatchObject({ ok: false, message: expect.stringContaining("Sign in again (ada)") });
    expect(eventsOf(engine.events, "account.needs-login")).toMatchObject([{ accountId: "ada", expiresAt: noon }]);
  });

  it("during a back-off the old token stays in use and the server is not asked", async () => {
    const engine = await createEngine(soon(hour), { answer: () => laterAnswer() });
    expect(await engine.credentials.renew(await used(engine))).toMatchObject({ ok: false, retryAfterSeconds: 4 });
    expect(await engine.credentials.renew(await used(engine))).toMatchObject({ ok: false });
    expect(engine.sent).toHaveLength(1);
  });

  it("a 401 of an older token leaves the account as it is", async () => {
    const engine = await createEngine(soon(hour));
    const old = await used(engine);
    await engine.credentials.renew(old);
    engine.credentials.observe(old, { status: 401, headers: {} });
    expect(engine.registry.get("ada")).toMatchObject({ health: "healthy", cooling: null });
  });

  it("a second 401 with the token that the first one brought lets the account cool for five minutes", async () => {
    const engine = await createEngine(soon(hour));
    await engine.credentials.renew(await used(engine));
    const brought = await used(engine);
    engine.credentials.observe(brought, { status: 401, headers: {} });
    expect(eventsOf(engine.events, "account.cooling")).toMatchObject([{ until: noon + 5 * minute, reason: "the upstream refuses this account with a new token too (401)", limited: false }]);
    await engine.clock.advance(5 * minute);
    engine.credentials.observe(brought, { status: 401, headers: {} });
    expect(engine.registry.get("ada")?.health).toBe("healthy");
  });

  it("a key has nothing to renew and stays in use, while a person is told", async () => {
    const engine = await createEngine(accountsOf(aKey()));
    const credential = await used(engine);
    engine.credentials.observe(credential, { status: 401, headers: {} });
    expect(await engine.credentials.renew(credential)).toMatchObject({ ok: false, message: "The upstream does not accept the token." });
    expect(eventsOf(engine.events, "account.needs-login")).toMatchObject([{ accountId: "key", message: expect.stringContaining("refuses this API key") }]);
    expect(engine.credentials.acquire(anyone)).toMatchObject({ ok: true });
    engine.credentials.observe(credential, { status: 400, headers: {} });
    expect(engine.registry.get("key")?.health).toBe("needs-login");
    engine.credentials.observe(credential, { status: 200, headers: {} });
    expect(engine.registry.get("key")?.health).toBe("healthy");
  });
});

describe("several accounts (A17)", () => {
  it("share 1000 requests evenly, leave out the one that cools, and take it back afterwards", async () => {
    const engine = await createEngine(three());
    const counts = async (): Promise<Record<string, number>> => {
      const ids = await Promise.all(Array.from({ length: 1000 }, async () => engine.credentials.acquire(anyone)));
      return Object.fromEntries(["ada", "bob", "eve"].map((id) => [id, ids.filter((outcome) => outcome.ok && outcome.credential.accountId === id).length]));
    };
    for (const count of Object.values(await counts())) expect(Math.abs(count - 1000 / 3)).toBeLessThanOrEqual(1);
    engine.registry.observe("bob", { status: 429, headers: { "retry-after": "30" } });
    expect(await counts()).toEqual({ ada: 500, bob: 0, eve: 500 });
    await engine.clock.advance(30_000);
    expect((await counts())["bob"]).toBeGreaterThanOrEqual(333);
    expect(eventsOf(engine.events, "account.healthy")).toEqual([{ type: "account.healthy", accountId: "bob" }]);
  });

  it("keep a session where its prompt cache is, as long as that account is healthy", async () => {
    const engine = await createEngine(three());
    const accountOf = async (sessionId: string): Promise<string> => {
      const outcome = await engine.credentials.acquire({ sessionId, accountId: null });
      return outcome.ok ? `${outcome.credential.accountId} ${outcome.credential.reason}` : outcome.message;
    };
    expect([await accountOf("s1"), await accountOf("s2"), await accountOf("s1"), await accountOf("s2")]).toEqual([
      "ada round-robin", "bob round-robin", "ada sticky", "bob sticky",
    ]);
    engine.registry.observe("ada", { status: 429, headers: {} });
    expect(await accountOf("s1")).toBe("eve round-robin");
    await engine.clock.advance(10_000);
    expect(await accountOf("s1")).toBe("eve sticky");
  });

  it("of 1000 sessions and more, the one that was used longest ago is forgotten first", async () => {
    const engine = await createEngine(three());
    const reasonFor = async (session: number): Promise<string> => {
      const outcome = await engine.credentials.acquire({ sessionId: `s${session}`, accountId: null });
      return outcome.ok ? outcome.credential.reason : outcome.message;
    };
    for (let session = 0; session < 1000; session += 1) expect(await reasonFor(session)).toBe("round-robin");
    expect(await reasonFor(0)).toBe("sticky");
    await reasonFor(1000);
    expect([await reasonFor(0), await reasonFor(2), await reasonFor(1)]).toEqual(["sticky", "sticky", "round-robin"]);
  });

  it("a session stays with the account that was the only one when it began", async () => {
    const engine = await createEngine(accountsOf(signedIn("bob")));
    const asked = async () => engine.credentials.acquire({ sessionId: "s1", accountId: null });
    expect(await asked()).toMatchObject({ credential: { accountId: "bob", reason: "only" } });
    engine.registry.put(signedIn("ada"));
    expect(await asked()).toMatchObject({ credential: { accountId: "bob", reason: "sticky" } });
  });
});

const here = (id: string, baseUrl?: string) => anAccount({ id, accessToken: secret(`access-${id}`), ...(baseUrl === undefined ? {} : { endpoints: { baseUrl } }) });
const failed = (...unreachable: readonly (string | null)[]) => ({ sessionId: null, reason: "ECONNREFUSED", unreachable });

describe("when a server cannot be reached", () => {
  it("a healthy account with another server serves, and the first one cools for half a minute", async () => {
    const engine = await createEngine(accountsOf(here("ada", "https://gone.example"), here("bob")));
    const first = await used(engine);
    expect(first.accountId).toBe("ada");
    expect(await engine.credentials.elsewhere(first, failed("https://gone.example"))).toMatchObject({ accountId: "bob" });
    expect(eventsOf(engine.events, "account.cooling")).toMatchObject([{ accountId: "ada", until: noon + 30_000, reason: "its server cannot be reached (ECONNREFUSED)" }]);
  });

  it("an account that was asked for by name is never replaced by another one, and not blamed", async () => {
    const engine = await createEngine(accountsOf(here("ada", "https://gone.example"), here("bob")));
    const outcome = await engine.credentials.acquire({ sessionId: null, accountId: "ada" });
    expect(outcome).toMatchObject({ ok: true, credential: { reason: "named" } });
    expect(outcome.ok ? engine.credentials.elsewhere(outcome.credential, failed("https://gone.example")) : "").toBeNull();
    expect(engine.registry.get("ada")?.health).toBe("healthy");
  });

  it("accounts behind the same server, or not healthy, are no way out", async () => {
    const engine = await createEngine(accountsOf(here("ada"), here("bob"), here("eve", "https://other.example")));
    const first = await used(engine);
    engine.registry.cool("eve", minute, "it rests");
    expect(engine.credentials.elsewhere(first, failed(null))).toBeNull();
    expect(engine.registry.get("ada")?.health).toBe("healthy");
  });
});
