// Who may come in, asked over bare sockets: names, pages, keys.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { ask, errorOf, head, headerOf, isWhole, jsonOf, key, openWire, post, startServer, statusOf } from "./kit.ts";

let kit: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => { kit = await startServer({ allowedHosts: ["proxy.lan", "box.lan:8443"], allowedOrigins: ["https://tools.example"] }); });
afterAll(() => kit.close());
beforeEach(() => { kit.forwards.length = 0; kit.events.length = 0; });

const withHost = (host: string, path = "/v1/models"): Promise<string> => ask(kit.port, head(kit.port, `GET ${path}`, { host }));

/** One path of every kind. */
const everyRoute = [
  "/v1/models", "/health", "/", "/api/status", "/auth/status", "/auth/device", "/metrics", "/events", "/login", "/callback?code=c&state=s",
  "/oauth/callback?code=c&state=s", "/api/accounts", "/api/oauth/tokens",
];

describe("Host names", () => {
  it("a foreign name is refused on every route (S1)", async () => {
    for (const path of everyRoute) expect(errorOf(await withHost(`evil.example:${kit.port}`, path))).toMatchObject({ status: 403, code: "foreign-host", type: "permission_error" });
    expect(kit.forwards).toEqual([]);
  });

  it("names that only look like this machine are refused (S2)", async () => {
    const { port } = kit;
    const names = ["127.0.0.1.nip.example", "localhost.evil.example", "0.0.0.0", "2130706433", "LOCALHOST.", "[::ffff:127.0.0.1]", "127.1", "0x7f.0.0.1", "127.0.0.2", "[::]"];
    for (const name of names) expect(statusOf(await withHost(`${name}:${port}`))).toBe(403);
    for (const name of [`127.0.0.1:${port + 1}`, "127.0.0.1", "localhost", "proxy.lan:1", "box.lan", `box.lan:${port}`, "sub.proxy.lan"]) expect(statusOf(await withHost(name))).toBe(403);
  });

  it("loopback names with our port and configured names are let in, in any case (S2)", async () => {
    for (const name of [
      `127.0.0.1:${kit.port}`, `localhost:${kit.port}`, `LocalHost:${kit.port}`, `[::1]:${kit.port}`, "proxy.lan", `Proxy.LAN:${kit.port}`,
      "box.lan:8443",
    ]) expect(statusOf(await withHost(name))).toBe(200);
  });

  it("a malformed Host is 400 and the server lives on (S3)", async () => {
    for (const host of [
      "a b", "[", ":::", "x".repeat(10_240), "[::1", "user@127.0.0.1", "127.0.0.1:port", `127.0.0.1:${kit.port}/x`, "127.0.0.1,localhost",
      `127.0.0.1:${kit.port}\u00e9`, "127.0.0.1\0",
    ]) expect(statusOf(await withHost(host))).toBe(400);
    expect(statusOf(await withHost(`127.0.0.1:${kit.port}`))).toBe(200);
  });
});

const from = (fields: Record<string, string>, path = "/v1/models", method = "GET"): Promise<string> => ask(kit.port, head(kit.port, `${method} ${path}`, fields));

describe("pages of other origins", () => {
  it("a foreign origin, or `null`, is refused on every route (S4)", async () => {
    for (const path of everyRoute) {
      for (const origin of ["https://evil.example", "null", `http://127.0.0.1:${kit.port + 1}`, `https://127.0.0.1:${kit.port}`, `http://localhost:${kit.port}`, ""]) {
        expect(errorOf(await from({ origin }, path))).toMatchObject({ status: 403, code: "foreign-origin" });
      }
    }
    expect(kit.forwards).toEqual([]);
  });

  it("our own page may call (S4)", async () => {
    expect(statusOf(await from({ origin: `http://127.0.0.1:${kit.port}`, "sec-fetch-site": "same-origin" }))).toBe(200);
  });

  it("a preflight from elsewhere is refused without any CORS field (S5)", async () => {
    const preflight = { origin: "https://evil.example", "access-control-request-method": "POST", "access-control-request-headers": "x-api-key" };
    for (const path of everyRoute) {
      const text = await from(preflight, path, "OPTIONS");
      expect(statusOf(text)).toBe(403);
      expect(text.toLowerCase()).not.toContain("access-control-");
    }
  });

  it("nobody gets CORS fields who is not configured (S6)", async () => {
    for (const path of ["/v1/models", "/health", "/auth/device"]) expect((await from({}, path)).toLowerCase()).not.toContain("access-control-");
  });

  it("a cross-site request without Origin is refused, and one from another port of this machine (S8)", async () => {
    for (const path of everyRoute) {
      for (const site of ["cross-site", "same-site", "anything"]) expect(errorOf(await from(
        { "sec-fetch-site": site, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" }, path,
      )).status).toBe(403);
    }
    expect(statusOf(await from({ "sec-fetch-site": "none", "sec-fetch-mode": "navigate" }))).toBe(200);
  });

  it("the way back from the sign-in page is let in as a navigation only (A22)", async () => {
    const navigation = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
    await using own = await startServer({ commands: { completeCallback: async () => ({ result: "signed-in" }) } });
    const returning = (fields: Record<string, string>, path: string): Promise<string> => ask(own.port, head(own.port, `GET ${path}?code=c&state=s`, { "x-api-key": null, ...fields }));
    expect(statusOf(await returning(navigation, "/callback"))).toBe(200);
    expect(statusOf(await returning(navigation, "/oauth/callback"))).toBe(200);
    expect(statusOf(await returning({ ...navigation, "sec-fetch-dest": "iframe" }, "/callback"))).toBe(403);
    expect(statusOf(await returning({ ...navigation, "sec-fetch-mode": "no-cors" }, "/callback"))).toBe(403);
    expect(statusOf(await returning({ ...navigation, origin: "https://evil.example" }, "/callback"))).toBe(403);
    expect(statusOf(await returning({ ...navigation, host: "evil.example" }, "/callback"))).toBe(403);
    expect(statusOf(await returning(navigation, "/health"))).toBe(403);
  });

  it("an answer for the browser's own window gets a sandbox, so that a page from upstream does not run on this origin (S5)", async () => {
    await from({ "sec-fetch-mode": "navigate", "sec-fetch-site": "none" });
    await from({ "sec-fetch-mode": "cors", "sec-fetch-site": "same-origin" });
    expect(kit.forwards.map(({ options }) => options.headers.join(": "))).toEqual(["content-security-policy: sandbox", ""]);
  });

  it("a configured origin gets its preflight and its CORS fields, the forwarder is told of them", async () => {
    const origin = "https://tools.example";
    const preflight = await ask(kit.port, head(
      kit.port, "OPTIONS /v1/messages",
      { "x-api-key": null, origin, "sec-fetch-site": "cross-site", "access-control-request-method": "POST", "access-control-request-headers": "x-api-key,content-type" },
    ));
    expect(statusOf(preflight)).toBe(204);
    expect(headerOf(preflight, "access-control-allow-origin")).toBe(origin);
    expect(headerOf(preflight, "access-control-allow-headers")).toBe("x-api-key,content-type");
    expect(headerOf(preflight, "access-control-allow-credentials")).toBeUndefined();
    await from({ origin, "sec-fetch-site": "cross-site" });
    expect(kit.forwards[0]?.options.headers).toContain(origin);
    expect(headerOf(await from({ origin, "sec-fetch-site": "cross-site" }, "/health"), "access-control-allow-origin")).toBe(origin);
  });
});

const keyless = (fields: Record<string, string> = {}): Record<string, string | null> => ({ "x-api-key": null, ...fields });

describe("the local key", () => {
  it("no key, or a wrong one, is 401 everywhere but on the open routes (S10)", async () => {
    for (const path of ["/v1/models", "/api/status", "/auth/status", "/metrics", "/events", "/api/accounts", "/api/oauth/tokens", "/oauth/authorize"]) {
      for (const fields of [
        keyless(), keyless({ "x-api-key": "wrong" }), keyless({ authorization: "Bearer wrong" }), keyless({ authorization: `Basic ${key}` }),
        keyless({ authorization: "Bearer" }), keyless({ "x-api-key": `${key}x` }), keyless({ cookie: `key=${key}` }),
      ]) {
        expect(errorOf(await ask(kit.port, head(kit.port, `GET ${path}`, fields)))).toMatchObject({ status: 401, code: "local-key", type: "authentication_error" });
      }
    }
    expect(kit.forwards).toEqual([]);
  });

  it("the key is taken as a Bearer token and as x-api-key", async () => {
    for (const fields of [
      keyless({ authorization: `Bearer ${key}` }), keyless({ authorization: `bearer  ${key}` }), keyless({ "x-api-key": key }),
      keyless({ authorization: "Bearer other", "x-api-key": key }),
    ]) {
      expect(statusOf(await ask(kit.port, head(kit.port, "GET /v1/models", fields)))).toBe(200);
    }
  });

  it("two credentials of one kind are refused", async () => {
    expect(statusOf(await ask(kit.port, `GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:${kit.port}\r\nx-api-key: ${key}\r\nx-api-key: other\r\n\r\n`))).toBe(400);
  });

  it("after a wrong key the body is not read on: the answer comes at once, then the connection ends (S10)", async () => {
    const wire = openWire(kit.port);
    wire.write(head(kit.port, "POST /v1/messages", { "x-api-key": "wrong", "content-length": "50000000" }));
    const text = await wire.until((seen) => seen.includes("request_id"));
    expect(statusOf(text)).toBe(401);
    expect(headerOf(text, "connection")).toBe("close");
    const block = "x".repeat(65_536);
    wire.socket.on("drain", () => wire.write(block));
    wire.write(block);
    await wire.closed();
    expect(wire.socket.bytesWritten).toBeLessThan(20_000_000);
    expect(kit.forwards).toEqual([]);
  });

  it("the open routes answer without a key", async () => {
    for (const [line, status] of [["GET /health", 503], ["GET /", 200], ["HEAD /", 200], ["HEAD /api/hello", 200], ["GET /auth/device", 200], ["GET /login", 404]] as const) {
      const wire = openWire(kit.port);
      wire.write(head(kit.port, line, { "x-api-key": null, connection: "close" }));
      expect(statusOf(await wire.closed())).toBe(status);
    }
  });

  it("nobody is asked for a key when none is required", async () => {
    await using own = await startServer({ key: null });
    expect(statusOf(await ask(own.port, head(own.port, "GET /v1/models", { "x-api-key": null })))).toBe(200);
    expect(statusOf(await ask(own.port, head(own.port, "GET /v1/models", { "x-api-key": null, origin: "https://evil.example" })))).toBe(403);
  });

  it("pass-through: the client's own login goes on, the local key comes in its own field", async () => {
    await using own = await startServer({ mode: "pass-through" });
    const get = async (path: string, fields: Record<string, string>): Promise<number> => statusOf(await ask(own.port, head(own.port, `GET ${path}`, keyless(fields))));
    expect(await get("/v1/models", { authorization: "Bearer of-the-client", "x-claude-oauth-proxy-key": key })).toBe(200);
    expect(own.forwards[0]?.request.headersDistinct["authorization"]).toEqual(["Bearer of-the-client"]);
    expect(await get("/v1/models", { authorization: `Bearer ${key}` })).toBe(401);
    expect(await get("/api/status", { authorization: `Bearer ${key}` })).toBe(200);
    expect(await get("/v1/models", { authorization: "Bearer of-the-client", "x-claude-oauth-proxy-key": "wrong" })).toBe(401);
  });
});

describe("what the rest of the program hears", () => {
  it("a refused request for /v1/* is received and rejected", async () => {
    await using own = await startServer();
    await ask(own.port, head(own.port, "GET /v1/models?q=secret", { "x-api-key": "wrong", "user-agent": "claude-cli/2.1.197 (external, cli)" }));
    expect(own.events.map(({ type }) => type)).toEqual(["request.received", "request.rejected"]);
    expect(own.events[0]).toMatchObject({ path: "/v1/models", client: "claude-cli/2.1.197", method: "GET" });
    expect(own.events[1]).toMatchObject({ status: 401, code: "local-key" });
  });

  it.each<[string, Record<string, string>]>([
    ["a wrong key", { "x-api-key": "wrong" }],
    ["a foreign Host", { host: "evil.example" }],
    ["a foreign Origin", { origin: "https://evil.example" }],
  ])("a flood with %s fills neither rows nor recording, and every request of it is counted (S11)", async (_name, fields) => {
    const clock = createFakeClock();
    await using own = await startServer({ clock });
    for (let index = 0; index < 60; index += 1) await ask(own.port, head(own.port, "POST /v1/messages", { ...fields, "x-claude-code-session-id": `s${index}` }));
    await clock.advance(10_000);
    expect(own.events.map(({ type }) => type)).toEqual(Array.from({ length: 6 }, () => ["request.received", "request.rejected"]).flat());
    const state = jsonOf(await ask(own.port, head(own.port, "GET /api/status"))) as { requests: { rows: unknown[]; total: number; clientErrors: number; inFlight: number }; sessions: unknown[] };
    expect({ ...state.requests, rows: state.requests.rows.length }).toMatchObject({ rows: 6, total: 60, clientErrors: 60, inFlight: 0 });
    expect(state.sessions).toHaveLength(6);
    expect(await ask(own.port, head(own.port, "GET /metrics"))).toMatch(/rejected_total\{code="[a-z-]+"\} 60\n/);
  });

  it("a flood of broken bytes is two notices, the second with their number (S11)", async () => {
    const clock = createFakeClock();
    await using own = await startServer({ clock });
    for (let index = 0; index < 40; index += 1) {
      const wire = openWire(own.port);
      wire.write("GARBAGE\r\n\r\n");
      await wire.until((text) => text.startsWith("HTTP/1.1 400"));
      wire.socket.destroy();
    }
    await clock.advance(10_000);
    expect(own.events.map((event) => (event.type === "notice" ? event.message : event.type))).toEqual([
      "A connection was refused: This is not a well-formed HTTP/1.1 request.",
      "A connection was refused: This is not a well-formed HTTP/1.1 request. (38 more like this before)",
    ]);
  });

  it("a page that probes our own paths cannot flood the screen", async () => {
    await using own = await startServer();
    for (let index = 0; index < 30; index += 1) await ask(own.port, head(own.port, "GET /auth/status", { origin: "https://evil.example" }));
    const notices = own.events.filter(({ type }) => type === "notice");
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatchObject({ level: "warning", code: "foreign-origin" });
    expect(own.events.filter(({ type }) => type.startsWith("request."))).toEqual([]);
  });

  it("names from the head are harmless and cut (U5)", async () => {
    await ask(kit.port, head(
      kit.port, "GET /v1/models",
      { "user-agent": `evil\x9b2J/${"u".repeat(500)}`, "x-claude-code-session-id": `s\x9b${"i".repeat(500)}`, "x-claude-code-agent-id": "a", "x-claude-code-parent-agent-id": "p" },
    ));
    const received = kit.events.find(({ type }) => type === "request.received") as { client: string; sessionId: string };
    expect(received).toMatchObject({ agentId: "a", parentAgentId: "p" });
    expect(received.client).toMatch(/^evil·2J\/u+…$/);
    expect(received.sessionId).toMatch(/^s·i+…$/);
    expect(received.client.length + received.sessionId.length).toBeLessThanOrEqual(160);
  });

  it("the key is in no event and in no answer (S14)", async () => {
    const texts = [await ask(kit.port, head(kit.port, "GET /api/status")), await ask(kit.port, head(kit.port, "GET /auth/status", { origin: "https://evil.example", authorization: `Bearer ${key}` }))];
    expect(JSON.stringify(kit.events) + texts.join("")).not.toContain(key);
  });
});

describe("sizes and rates", () => {
  it("an announced body above the limit is 413 before it is read", async () => {
    await using own = await startServer({ maxBodyBytes: 2048 });
    const text = await ask(own.port, head(own.port, "POST /v1/messages", { "content-length": "2049" }));
    expect(errorOf(text)).toMatchObject({ status: 413, code: "too-large", type: "request_too_large" });
    expect(own.forwards).toEqual([]);
    expect(statusOf(await ask(own.port, post(own.port, "/v1/messages", "x".repeat(2000))))).toBe(200);
  });

  it("rateLimit.api counts forwarded requests per peer and says when to come back", async () => {
    await using own = await startServer({ rateLimit: { api: { count: 3, windowMs: 60_000 }, auth: null } });
    const texts: string[] = [];
    for (let index = 0; index < 4; index += 1) texts.push(await ask(own.port, head(own.port, "GET /v1/models")));
    expect(texts.map(statusOf)).toEqual([200, 200, 200, 429]);
    expect(errorOf(texts[3] ?? "")).toMatchObject({ code: "rate-limited", type: "rate_limit_error" });
    expect(Number(headerOf(texts[3] ?? "", "retry-after"))).toBeGreaterThan(0);
    expect(own.events.at(-1)).toMatchObject({ type: "request.rejected", code: "rate-limited" });
    expect(statusOf(await ask(own.port, head(own.port, "GET /api/status")))).toBe(200);
  });

  it("rateLimit.auth counts the sign-in calls, all of them together", async () => {
    await using own = await startServer({ rateLimit: { api: null, auth: { count: 2, windowMs: 60_000 } }, commands: { cancelLogin: () => {} } });
    const statuses: number[] = [];
    for (const path of ["/auth/device/submit", "/api/oauth/exchange", "/oauth/exchange"]) statuses.push(statusOf(await ask(own.port, post(own.port, path, {}))));
    expect(statuses).toEqual([400, 400, 429]);
    expect(statusOf(await ask(own.port, head(own.port, "GET /auth/status")))).toBe(200);
  });

  it("who shows no key or a wrong one is counted too, and cannot use up the count of who shows the right one (S9)", async () => {
    await using own = await startServer({ rateLimit: { api: null, auth: { count: 2, windowMs: 60_000 } }, commands: { cancelLogin: () => {} } });
    const wrong = (fields: Record<string, string | null>): Promise<string> => ask(own.port, post(own.port, "/auth/device", {}, fields));
    const tries = [await wrong({ "x-api-key": null }), await wrong({ "x-api-key": "wrong" }), await wrong({ "x-api-key": "wrong" })];
    expect(tries.map(statusOf)).toEqual([401, 401, 429]);
    const other = openWire(own.port, "127.0.0.1");
    other.write(post(own.port, "/api/oauth/exchange", {}, { "x-api-key": "wrong" }));
    expect(statusOf(await other.until(isWhole))).toBe(429);
    other.socket.destroy();
    expect(statusOf(await ask(own.port, post(own.port, "/auth/device", {})))).toBe(200);
  });
});
