// GET /health, /api/status, and the small probes.
import { describe, expect, it } from "vitest";
import type { EventDraft } from "../../src/messages/events.ts";
import { ask, bodyOf, head, headerOf, jsonOf, post, startServer, statusOf } from "../server/kit.ts";

type Added = Extract<EventDraft, { type: "account.added" }>;

const added = (fields: Partial<Added> = {}): Added => ({
  type: "account.added",
  accountId: "max-1",
  kind: "oauth",
  label: "Max",
  enabled: true,
  priority: 1,
  expiresAt: Date.now() + 3_600_000,
  renewable: true,
  health: "healthy",
  lastError: null,
  ...fields,
});

const health = async (port: number, withKey = false): Promise<Record<string, unknown>> => {
  const text = await ask(port, head(port, "GET /health", withKey ? {} : { "x-api-key": null }));
  return { code: statusOf(text), ...jsonOf(text) };
};

describe("/health", () => {
  it("has exactly the documented shape, without a key", async () => {
    await using own = await startServer({ commands: { canServe: () => true } });
    const expiresAt = Date.now() + 3_600_000;
    own.publish(added({ expiresAt }));
    expect(await health(own.port)).toEqual({
      code: 200,
      status: "ok",
      version: "1.2.3",
      uptime_seconds: expect.any(Number),
      mode: "oauth",
      accounts: [{ id: "max-1", label: "Max", kind: "oauth", health: "healthy", expires_at: new Date(expiresAt).toISOString(), is_expired: false, needs_refresh: false, last_error: null, last_refresh: null }],
      in_flight: 0,
      requests_total: 0,
    });
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
    await using own = await startServer({ refreshLeadSeconds: 300 });
    own.publish(added({ accountId: "old", expiresAt: Date.now() - 1000 }));
    own.publish(added({ accountId: "due", expiresAt: Date.now() + 200_000 }));
    own.publish(added({ accountId: "key", kind: "api_key", expiresAt: 5 }));
    own.publish(added({ accountId: "odd", expiresAt: 1e300 }));
    const { accounts } = (await health(own.port)) as { accounts: Record<string, unknown>[] };
    expect(Object.fromEntries(accounts.map(({ id, expires_at, is_expired, needs_refresh }) => [id, [typeof expires_at, is_expired, needs_refresh]]))).toEqual({
      old: ["string", true, true],
      due: ["string", false, true],
      key: ["object", false, false],
      odd: ["object", false, false],
    });
  });

  it("S13 shows no e-mail address to somebody without the key", async () => {
    await using own = await startServer();
    own.publish(added({ label: "ann@corp.example (Max)", lastError: "no seat for ann@corp.example" }));
    expect(JSON.stringify(await health(own.port))).not.toContain("ann@");
    expect(JSON.stringify(await health(own.port, true))).toContain("ann@corp.example (Max)");
  });
});

describe("/api/status", () => {
  it("is the dashboard's state with its lists cut, for the key only", async () => {
    await using own = await startServer();
    own.publish(added());
    for (let index = 0; index < 120; index += 1) await ask(own.port, head(own.port, "GET /v1/models", { "x-api-key": "wrong" }));
    const state = jsonOf(await ask(own.port, head(own.port, "GET /api/status"))) as { accounts: unknown[]; requests: { rows: unknown[]; total: number }; activity: unknown[] };
    expect(state.accounts).toHaveLength(1);
    expect(state.requests.total).toBe(120);
    expect(state.requests.rows).toHaveLength(50);
    expect(state.activity.length).toBeLessThanOrEqual(100);
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
