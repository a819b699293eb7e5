// /api/accounts: listing, adding, switching, removing.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AppError } from "../../src/messages/errors.ts";
import { ask, errorOf, head, jsonOf, openWire, post, startServer, statusOf } from "../server/kit.ts";
import { added, createFakeCommands, tokenExpiry } from "./fake-commands.ts";

let fake: ReturnType<typeof createFakeCommands>;
let kit: Awaited<ReturnType<typeof startServer>>;
beforeEach(async () => {
  fake = createFakeCommands();
  kit = await startServer({ commands: fake.commands });
  kit.publish(added({ priority: 2, expiresAt: tokenExpiry, lastError: "overloaded" }));
  kit.publish(added({ accountId: "old-1", label: "Old", priority: 3, expiresAt: 1, health: "needs-login" }));
});
afterEach(() => kit.close());

const change = (id: string, body: unknown): Promise<string> => ask(kit.port, post(kit.port, `/api/accounts/${id}`, body).replace("POST", "PATCH"));

describe("/api/accounts", () => {
  it("lists what claude-proxy's clients read, and never a token", async () => {
    const list = jsonOf(await ask(kit.port, head(kit.port, "GET /api/accounts"))) as unknown as Record<string, unknown>[];
    expect(list[0]).toEqual({
      id: "max-1", name: "Max", label: "Max", kind: "oauth", status: "active", health: "healthy", enabled: true, priority: 2,
      expires_at: new Date(tokenExpiry).toISOString(), is_expired: false, needs_refresh: false, cooling_until: null, refresh_at: null,
      last_error: "overloaded", last_refresh: null, last_refresh_error: "overloaded", requests: 0,
    });
    expect(list[1]).toMatchObject({ id: "old-1", status: "inactive", is_expired: true });
    expect(Object.keys(list[0] ?? {}).filter((name) => name.includes("token"))).toEqual([]);
  });

  it("adds an account from a finished sign-in", async () => {
    const text = await ask(kit.port, post(kit.port, "/api/accounts", { code: "abc", state: "state-1", code_verifier: "attempt-1" }));
    expect(statusOf(text)).toBe(201);
    expect(jsonOf(text)).toMatchObject({ id: "max-1", label: "Max" });
    expect(fake.calls).toEqual([["submitCode", "abc#state-1", "attempt-1"]]);
  });

  it("adds an API key, which no answer repeats", async () => {
    const text = await ask(kit.port, post(kit.port, "/api/accounts", { api_key: "sk-ant-api03-canary", id: "work", label: "Work" }));
    expect(statusOf(text)).toBe(201);
    expect(text).not.toContain("canary");
    expect(fake.calls).toEqual([["addApiKey", "sk-ant-api03-canary", { accountId: "work", label: "Work" }]]);
    expect(statusOf(await ask(kit.port, post(kit.port, "/api/accounts", { api_key: "" })))).toBe(400);
  });

  it("switches, renames and ranks", async () => {
    expect(jsonOf(await change("max-1", { enabled: false, label: "Mine", priority: 7 }))).toMatchObject({ id: "max-1" });
    expect(fake.calls).toEqual([["setEnabled", "max-1", false], ["rename", "max-1", "Mine"], ["setPriority", "max-1", 7]]);
  });

  it("a change that is none, or of the wrong type, touches nothing", async () => {
    for (const body of [{}, { enabled: "no" }, { enabled: false, priority: "high" }, { enabled: false, label: 5 }]) {
      expect(errorOf(await change("max-1", body))).toMatchObject({ status: 400, code: "bad-request" });
    }
    expect(fake.calls).toEqual([]);
    expect(errorOf(await change("nobody", { enabled: true }))).toMatchObject({ status: 404, code: "unknown-account" });
  });

  it("removes by id; odd ids are refused, not looked up", async () => {
    expect(jsonOf(await ask(kit.port, head(kit.port, "DELETE /api/accounts/max-1")))).toEqual({ success: true, id: "max-1" });
    for (const id of ["..%2Fx", "%00", "__proto__", "A", "a%20b", "x".repeat(65)]) expect(statusOf(await ask(kit.port, head(kit.port, `DELETE /api/accounts/${id}`)))).toBe(400);
    for (const path of ["/api/accounts/", "/api/accounts/%zz"]) expect([400, 404]).toContain(statusOf(await ask(kit.port, head(kit.port, `DELETE ${path}`))));
    expect(fake.calls).toEqual([["logout", "max-1"]]);
  });

  it.each(["/api/accounts/max-1", "/api/oauth/tokens/max-1"])("DELETE %s is answered after the account is gone, and with the reason when it is not", async (path) => {
    const removal = Promise.withResolvers<{ removed: readonly string[] }>();
    await using own = await startServer({ commands: { ...fake.commands, logout: () => removal.promise } });
    const wire = openWire(own.port);
    wire.write(head(own.port, `DELETE ${path}`, { connection: "close" }));
    const answer = wire.closed();
    await expect.poll(() => own.server.inFlight()).toBe(1);
    await ask(own.port, head(own.port, "GET /health"));
    expect(wire.socket.bytesRead).toBe(0);
    removal.reject(new AppError({ code: "store-unwritable", message: "The store cannot be written." }));
    expect(errorOf(await answer)).toMatchObject({ status: 500, code: "store-unwritable" });
  });
});
