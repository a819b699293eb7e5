// The refresh engine against the strict simulated server over real sockets: rotation, loss, revocation.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Upstream } from "../../src/demo/upstream.ts";
import { createUpstream } from "../../src/demo/upstream.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { secret } from "../../src/lib/secret.ts";
import { createTokenEndpoint } from "../../src/oauth/token-endpoint.ts";
import type { Engine } from "./an-engine.ts";
import { anyone, createEngine, tokenOf } from "./an-engine.ts";
import { accountsOf, anAccount } from "./an-account.ts";
import type { MemoryStore } from "./memory-store.ts";
import { createMemoryStore } from "./memory-store.ts";

const clock = createSystemClock();
let upstream: Upstream;

beforeAll(async () => {
  upstream = await createUpstream({ clock, random: systemRandom });
});
afterEach(() => upstream.clearScript());
afterAll(() => upstream.close());

/** An account whose token has ended by our clock, as the server issued it. */
const ended = (): MemoryStore => {
  const { accessToken, refreshToken } = upstream.issueTokens();
  return createMemoryStore(accountsOf(anAccount({ accessToken, refreshToken, expiresAt: Date.now() - 1 })));
};

const overSockets = async (store: MemoryStore): Promise<Engine> => {
  const endpoint = createTokenEndpoint({ fetch, clock, timeoutMs: 5000, userAgent: "claude-oauth-proxy/0.0.0-test" });
  const tokenUrl = upstream.settings()["oauth.tokenUrl"];
  const real = Object.assign(clock, { advance: async () => {}, jump: () => {}, pendingTimers: () => 0 });
  return createEngine(store, {
    clock: real,
    answer: ({ refreshToken }) => endpoint.refresh({ tokenUrl, clientId: "9d1c250a-e61b-44d9-88ed-5944d1962f5e", refreshToken: refreshToken ?? secret("") }),
  });
};

const isAccepted = async (token: string): Promise<number> => {
  const answer = await fetch(`${upstream.baseUrl}/api/oauth/profile`, { headers: { authorization: `Bearer ${token}`, "anthropic-beta": "oauth-2025-04-20" } });
  return answer.status;
};

describe("refreshing at a server whose refresh tokens are single-use", () => {
  it("three processes and 150 requests at the moment of expiry: one call, everybody served, no reuse (A1, A2)", async () => {
    const store = ended();
    const engines = await Promise.all([overSockets(store), overSockets(store), overSockets(store)]);
    const before = upstream.tokenCalls().refresh_token;
    const outcomes = await Promise.all(engines.flatMap((engine) => Array.from({ length: 50 }, () => engine.credentials.acquire(anyone))));
    expect(upstream.tokenCalls().refresh_token - before).toBe(1);
    const tokens = [...new Set(outcomes.map(tokenOf))];
    expect(tokens).toHaveLength(1);
    expect(await isAccepted(tokens[0] ?? "")).toBe(200);
  });

  it("ten refreshes in a row keep the chain alive", async () => {
    const engine = await overSockets(ended());
    for (let round = 0; round < 10; round += 1) expect(await engine.refresher.refresh("ada", "manual")).toMatchObject({ outcome: "refreshed" });
    expect(await isAccepted(tokenOf(await engine.credentials.acquire(anyone)))).toBe(200);
  });

  it("an answer that is lost before the server worked costs nothing", async () => {
    const engine = await overSockets(ended());
    upstream.script({ match: { grant: "refresh_token" }, fault: { kind: "hang-up" } });
    expect(await engine.refresher.refresh("ada", "lead")).toMatchObject({ outcome: "refreshed" });
  });

  it("an answer that is lost after the server worked ends in one careful try and clear words", async () => {
    const engine = await overSockets(ended());
    const before = upstream.tokenCalls().refresh_token;
    upstream.script({ match: { grant: "refresh_token" }, fault: { kind: "answer-lost" } });
    expect(await engine.refresher.refresh("ada", "lead")).toMatchObject({ outcome: "failed", needsLogin: true, message: expect.stringContaining("the answer to the try before it was lost") });
    expect(upstream.tokenCalls().refresh_token - before).toBe(2);
    expect(engine.store.current.get("ada")?.refreshToken).not.toBeNull();
  });

  it("a page of a CDN and a 500 are waited out (A7)", async () => {
    const engine = await overSockets(ended());
    upstream.script({ match: { grant: "refresh_token" }, fault: { kind: "cdn-html", status: 503 } });
    expect(await engine.credentials.acquire(anyone)).toMatchObject({ ok: false, retryAfterSeconds: expect.any(Number) });
    expect(await engine.refresher.refresh("ada", "manual")).toMatchObject({ outcome: "refreshed" });
  });
});
