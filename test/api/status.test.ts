// GET /health, /api/status, and the small probes.
import { describe, expect, it } from "vitest";
import type { EventDraft } from "../../src/messages/events.ts";
import { added } from "./fake-commands.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { createKeyChallenge } from "../../src/lib/key-proof.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { secret } from "../../src/lib/secret.ts";
import { ask, bodyOf, head, headerOf, jsonOf, key, post, startServer, statusOf } from "../server/kit.ts";

const received = (requestId: string): EventDraft => ({
  type: "request.received", requestId, method: "POST", path: "/v1/messages", client: "", sessionId: null, agentId: null, parentAgentId: null, bodyBytes: null,
});

const finished = (requestId: string): EventDraft => ({
  type: "request.finished", requestId, status: 200, outcome: "ok", durationMs: 5, ttfbMs: 1, longestSilenceMs: 1, bytesIn: 1, bytesOut: 1,
  attempts: 1, upstreamRequestId: null, blame: null, errorCode: null, message: null, nextStep: null,
});

const refreshed = (fields: Partial<Extract<EventDraft, { type: "token.refreshed" }>>): EventDraft => ({
  type: "token.refreshed", accountId: "max-1", reason: "lead", durationMs: 1, oldExpiresAt: null, newExpiresAt: null, ...fields,
});

const failed = (errorCode: string, message: string): EventDraft => ({
  type: "token.refresh-failed", accountId: "max-1", reason: "lead", errorCode, message, failures: 1, nextTryAt: null,
});

const health = async (port: number, withKey = false): Promise<Record<string, unknown>> => {
  const text = await ask(port, head(port, "GET /health", withKey ? {} : { "x-api-key": null }));
  return { code: statusOf(text), ...jsonOf(text) };
};

describe("/api/hello", () => {
  it("proves the key to a caller that proves it too, on the port that was asked (S3)", async () => {
    await using own = await startServer();
    const asked = `127.0.0.1:${own.port}`;
    const challenge = createKeyChallenge(secret(key), { host: asked, random: systemRandom });
    const text = await ask(own.port, head(own.port, "GET /api/hello", { "x-api-key": null, ...challenge.headers }));
    expect(statusOf(text)).toBe(200);
    expect(challenge.accepts(jsonOf(text)["proof"])).toBe(true);
    expect(text).not.toContain(key);
  });

  it("refuses a challenge without the key, and one that was made for another port (S3)", async () => {
    await using own = await startServer();
    for (const [known, asked] of [["another-key-0123456789abcdefgh", `127.0.0.1:${own.port}`], [key, "127.0.0.1:1"]] as const) {
      const { headers } = createKeyChallenge(secret(known), { host: asked, random: systemRandom });
      const text = await ask(own.port, head(own.port, "GET /api/hello", { "x-api-key": null, ...headers }));
      expect(statusOf(text)).toBe(401);
      expect(text).not.toContain("proof\":");
    }
  });
});

describe("/api/hello on another address of loopback", () => {
  it.each(["localhost", "[::1]"])("proves nothing to a challenge for %s that arrived at 127.0.0.1 (S3)", async (name) => {
    await using own = await startServer();
    const host = `${name}:${own.port}`;
    const { headers } = createKeyChallenge(secret(key), { host, random: systemRandom });
    const text = await ask(own.port, head(own.port, "GET /api/hello", { host, "x-api-key": null, ...headers }));
    expect(statusOf(text)).toBe(401);
    expect(text).not.toContain("proof\":");
  });
});

describe("/health", () => {
  it("has exactly the documented shape, without a key", async () => {
    const clock = createFakeClock(Date.UTC(2026, 0, 2, 12));
    await using own = await startServer({ clock, commands: { canServe: () => true } });
    own.publish(added({ expiresAt: Date.UTC(2026, 0, 2, 13), health: "limited" }));
    own.publish(received("r1"));
    own.publish(received("r2"));
    own.publish(finished("r1"));
    await clock.advance(90_900);
    expect(await health(own.port)).toEqual({
      code: 200,
      status: "ok",
      version: "1.2.3",
      uptime_seconds: 90,
      mode: "oauth",
      accounts: [
        { id: "max-1", label: null, kind: "oauth", health: "limited", expires_at: "2026-01-02T13:00:00.000Z", is_expired: false, needs_refresh: false, last_error: null, last_refresh: null },
      ],
      in_flight: 1,
      requests_total: 2,
    });
  });

  it("gives the last refresh in milliseconds and in times of UTC", async () => {
    await using own = await startServer({ clock: createFakeClock(Date.UTC(2026, 0, 2, 12)) });
    own.publish(added());
    own.publish(refreshed({ durationMs: 1234.4, oldExpiresAt: Date.UTC(2026, 0, 2, 12, 5), newExpiresAt: Date.UTC(2026, 0, 2, 20) }));
    const last_refresh = {
      at: "2026-01-02T12:00:00.000Z",
      reason: "lead",
      outcome: "refreshed",
      duration_ms: 1234,
      old_expires_at: "2026-01-02T12:05:00.000Z",
      new_expires_at: "2026-01-02T20:00:00.000Z",
    };
    expect(await health(own.port)).toMatchObject({ accounts: [{ expires_at: "2026-01-02T20:00:00.000Z", last_refresh }] });
  });

  it("is 503 `sign-in-needed` while a request would get no credential, whatever is known of the accounts", async () => {
    let serves = false;
    await using own = await startServer({ commands: { canServe: () => serves } });
    expect(await health(own.port)).toMatchObject({ code: 503, status: "sign-in-needed", accounts: [] });
    own.publish(added());
    expect(await health(own.port)).toMatchObject({ code: 503, status: "sign-in-needed", accounts: [{ health: "healthy" }] });
    serves = true;
    own.publish(added({ health: "needs-login" }));
    expect(await health(own.port)).toMatchObject({ code: 200, status: "ok", accounts: [{ health: "needs-login" }] });
  });

  it("pass-through needs no account", async () => {
    await using own = await startServer({ mode: "pass-through", commands: { canServe: () => true } });
    expect(await health(own.port)).toMatchObject({ code: 200, status: "ok", mode: "pass-through", accounts: [] });
  });

  it("says what is expired, what is due, and that an API key does neither", async () => {
    const clock = createFakeClock();
    await using own = await startServer({ clock, refreshLeadSeconds: 300 });
    own.publish(added({ accountId: "old", expiresAt: clock.now() }));
    own.publish(added({ accountId: "last", expiresAt: clock.now() + 1 }));
    own.publish(added({ accountId: "due", expiresAt: clock.now() + 300_000 }));
    own.publish(added({ accountId: "good", expiresAt: clock.now() + 300_001 }));
    own.publish(added({ accountId: "key", kind: "api_key", expiresAt: 5 }));
    own.publish(added({ accountId: "odd", expiresAt: 1e300 }));
    const { accounts } = (await health(own.port)) as { accounts: Record<string, unknown>[] };
    expect(Object.fromEntries(accounts.map(({ id, expires_at, is_expired, needs_refresh }) => [id, [typeof expires_at, is_expired, needs_refresh]]))).toEqual({
      old: ["string", true, true],
      last: ["string", false, true],
      due: ["string", false, true],
      good: ["string", false, false],
      key: ["object", false, false],
      odd: ["object", false, false],
    });
  });

  it("shows no label and no e-mail address to a caller without the key (S13)", async () => {
    await using own = await startServer();
    own.publish(added({ label: "ann@corp.example (Max)", lastError: "no seat for ann@corp.example" }));
    expect(JSON.stringify(await health(own.port))).not.toMatch(/ann@|corp|Max/);
    expect(JSON.stringify(await health(own.port, true))).toContain("ann@corp.example (Max)");
  });

  const sentence = "invalid_grant: call 555-CANARY to renew";

  it.each<[string, readonly EventDraft[], string]>([
    ["a refusal that was stored", [added({ lastError: sentence, health: "needs-login" })], "invalid_grant"],
    ["a refusal", [added(), { type: "account.needs-login", accountId: "max-1", message: sentence, expiresAt: null }], "invalid_grant"],
    ["a refresh that failed", [added(), failed("http-503", "call 555-CANARY")], "http-503"],
    ["a server that was not reached", [added(), failed("ECONNREFUSED", "call 555-CANARY")], "ECONNREFUSED"],
    ["a code that is a message of the server", [added(), failed("call_555_CANARY", "call 555-CANARY")], "other"],
    ["a sentence without a code", [added({ lastError: "CANARY" })], "other"],
  ])("shows the code of a failure without the key, and the server's words with it only: %s", async (_name, events, code) => {
    await using own = await startServer();
    for (const event of events) own.publish(event);
    const open = await health(own.port);
    expect(open).toMatchObject({ accounts: [{ last_error: code }] });
    expect(JSON.stringify(open)).not.toContain("CANARY");
    expect(JSON.stringify(await health(own.port, true))).toContain("CANARY");
  });
});

describe("/api/status", () => {
  it("is the dashboard's state with its lists cut, for the key only", async () => {
    await using own = await startServer();
    own.publish(added());
    for (let index = 0; index < 120; index += 1) for (const make of [received, finished]) own.publish(make(`r${index}`));
    const state = jsonOf(await ask(own.port, head(own.port, "GET /api/status"))) as { accounts: unknown[]; requests: { rows: unknown[]; total: number }; activity: unknown[] };
    expect(state.accounts).toHaveLength(1);
    expect(state.requests.total).toBe(120);
    expect(state.requests.rows).toHaveLength(50);
    expect(state.activity.length).toBeLessThanOrEqual(100);
  });
});

type Cut = Readonly<Record<"refreshes" | "activity", readonly Record<string, unknown>[]>> & { readonly requests: { readonly rows: readonly { readonly id: string }[] } };

const statusOfProgram = async (port: number): Promise<Cut> => jsonOf(await ask(port, head(port, "GET /api/status"))) as Cut;

describe("the lists of /api/status", () => {
  it("keep every open request and the 50 newest of the others", async () => {
    await using own = await startServer();
    own.publish(received("open"));
    for (let index = 0; index < 120; index += 1) for (const make of [received, finished]) own.publish(make(`r${index}`));
    const ids = (await statusOfProgram(own.port)).requests.rows.map(({ id }) => id);
    expect(ids.toSorted()).toEqual(["open", ...Array.from({ length: 50 }, (_, index) => `r${index + 70}`)].toSorted());
  });

  it("keep the 100 newest refreshes and lines of activity", async () => {
    await using own = await startServer();
    for (let index = 0; index < 120; index += 1) own.publish(refreshed({ durationMs: index }));
    for (let index = 0; index < 120; index += 1) own.publish({ type: "notice", level: "info", code: "test", message: `line ${index}.`, hint: null });
    const { refreshes, activity } = await statusOfProgram(own.port);
    expect(refreshes.map(({ durationMs }) => durationMs)).toEqual(Array.from({ length: 100 }, (_, index) => index + 20));
    expect(activity).toHaveLength(100);
    expect([activity[0], activity[99]]).toMatchObject([{ text: expect.stringContaining("line 20") }, { text: expect.stringContaining("line 119") }]);
  });
});

describe("probes", () => {
  it("GET / is a line for programs and a page with the way on for browsers", async () => {
    await using own = await startServer();
    expect(bodyOf(await ask(own.port, head(own.port, "GET /", { "x-api-key": null })))).toContain("claude-oauth-proxy 1.2.3");
    const page = await ask(own.port, head(own.port, "GET /", { accept: "text/html,*/*" }));
    expect(headerOf(page, "content-type")).toBe("text/html; charset=utf-8");
    expect(page).toContain('href="/auth/device"');
  });

  it("telemetry ends here: 204, nothing forwarded, nothing counted", async () => {
    await using own = await startServer();
    expect(statusOf(await ask(own.port, post(own.port, "/api/event_logging/batch", { events: ["x".repeat(200_000)] })))).toBe(204);
    expect(own.forwards).toEqual([]);
    expect(own.events).toEqual([]);
  });

  it("own endpoints are no traffic", async () => {
    await using own = await startServer();
    for (const line of ["GET /health", "HEAD /", "HEAD /api/hello", "GET /metrics", "GET /api/status"]) await ask(own.port, head(own.port, line, { connection: "close" }));
    expect(own.events).toEqual([]);
  });
});
