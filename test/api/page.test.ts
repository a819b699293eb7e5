// The sign-in page as a browser gets it: locked until the key was entered, and nothing in it from outside.
import { Script } from "node:vm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { script } from "../../src/api/page-script.ts";
import { ask, bodyOf, errorOf, head, headerOf, jsonOf, key, post, startServer, statusOf } from "../server/kit.ts";
import { added, attempt, createFakeCommands, question } from "./fake-commands.ts";

let fake: ReturnType<typeof createFakeCommands>;
let kit: Awaited<ReturnType<typeof startServer>>;
beforeEach(async () => {
  fake = createFakeCommands();
  kit = await startServer({ commands: fake.commands });
});
afterEach(() => kit.close());

const account = (label: string): void => kit.publish(added({ label, lastError: "<b>bad</b>" }));

const page = (fields: Record<string, string | null> = {}): Promise<string> => ask(kit.port, head(kit.port, "GET /auth/device", { "x-api-key": null, ...fields }));

const unlock = async (): Promise<{ cookie: string; csrf: string }> => {
  const text = await ask(kit.port, post(kit.port, "/auth/device", {}, { "x-api-key": null, authorization: `Bearer ${key}`, origin: `http://127.0.0.1:${kit.port}`, "sec-fetch-site": "same-origin" }));
  expect(statusOf(text)).toBe(200);
  return { cookie: headerOf(text, "set-cookie")?.split(";")[0] ?? "", csrf: String(jsonOf(text)["csrf"]) };
};

describe("/auth/device", () => {
  it("has a script that a browser can read", () => {
    expect(() => new Script(script)).not.toThrow();
  });

  it("asks for the key first and tells nothing else", async () => {
    account("Max of Ann");
    await fake.commands.startLogin({});
    const text = await page();
    expect(statusOf(text)).toBe(200);
    expect(text).toContain("Enter the local key");
    for (const hidden of ["Max of Ann", "max-1", "claude.example", "Start a sign-in"]) expect(text).not.toContain(hidden);
  });

  it("the key is exchanged for a cookie and its token; a wrong one is not", async () => {
    const { cookie, csrf } = await unlock();
    account("Max of Ann");
    expect(await page({ cookie, "x-csrf-token": csrf })).toContain("Max of Ann");
    expect(statusOf(await ask(kit.port, post(kit.port, "/auth/device", {}, { "x-api-key": "wrong" })))).toBe(401);
    expect(await page({ cookie: `${cookie}x`, "x-csrf-token": csrf })).toContain("Enter the local key");
  });

  it("the cookie alone, which every port of this machine is sent, reads nothing and changes nothing (S5)", async () => {
    const { cookie, csrf } = await unlock();
    account("Max of Ann");
    const keyless = { "x-api-key": null, cookie };
    expect(await page({ cookie })).not.toContain("Max of Ann");
    for (const path of ["/auth/status", "/api/accounts", "/events"]) expect(statusOf(await ask(kit.port, head(kit.port, `GET ${path}`, keyless)))).toBe(403);
    const change = (fields: Record<string, string>): Promise<string> => ask(kit.port, post(kit.port, "/auth/refresh", {}, { ...keyless, ...fields }));
    expect(errorOf(await change({}))).toMatchObject({ status: 403, code: "foreign-origin" });
    expect(errorOf(await change({ "x-csrf-token": "wrong" })).status).toBe(403);
    expect(statusOf(await change({ "x-csrf-token": csrf }))).toBe(200);
    expect(statusOf(await change({ "x-csrf-token": csrf, origin: "http://localhost:3000", "sec-fetch-site": "same-site" }))).toBe(403);
    expect(fake.calls).toEqual([["refresh", null]]);
    expect(await page({ cookie, "x-csrf-token": csrf })).not.toContain(csrf);
  });

  it("a session opens the page and its calls, and nothing that is sent on or made for programs (S5)", async () => {
    const { cookie, csrf } = await unlock();
    const session = { "x-api-key": null, cookie, "x-csrf-token": csrf };
    for (const path of ["/auth/status", "/api/accounts"]) expect(statusOf(await ask(kit.port, head(kit.port, `GET ${path}`, session)))).toBe(200);
    for (const path of ["/v1/models", "/oauth/authorize", "/api/oauth/tokens", "/metrics", "/api/status"]) expect(statusOf(await ask(kit.port, head(kit.port, `GET ${path}`, session)))).toBe(401);
    for (const path of ["/v1/messages", "/api/oauth/exchange", "/oauth/exchange", "/auth/device"]) expect(statusOf(await ask(kit.port, post(kit.port, path, {}, session)))).toBe(401);
    expect(kit.forwards).toEqual([]);
  });

  it("a session is over on this side too when the browser locks the page or everyone is signed out (S5)", async () => {
    const [locked, other] = [await unlock(), await unlock()];
    const status = ({ cookie, csrf }: typeof other): Promise<number> => ask(kit.port, head(kit.port, "GET /auth/status", { "x-api-key": null, cookie, "x-csrf-token": csrf })).then(statusOf);
    const text = await ask(kit.port, head(kit.port, "DELETE /auth/device", { "x-api-key": null, cookie: locked.cookie, "x-csrf-token": locked.csrf }));
    expect(headerOf(text, "set-cookie")).toMatch(/^claude_oauth_proxy_\d+_[\w-]+=; Max-Age=0; /);
    expect([await status(locked), await status(other)]).toEqual([401, 200]);
    expect(statusOf(await ask(kit.port, post(kit.port, "/auth/logout", {})))).toBe(200);
    expect(await status(other)).toBe(401);
  });

  it("shows the start of a sign-in with the provider's terms, and only while there is no account", async () => {
    const text = await page({ "x-api-key": key });
    expect(text).toContain("Start a sign-in");
    expect(text).toContain('type="checkbox" required');
    expect(text).toContain("legal-and-compliance");
    account("Max");
    expect(await page({ "x-api-key": key })).not.toContain('type="checkbox"');
  });

  it("shows the open sign-in with both links and a field for the code", async () => {
    await fake.commands.startLogin({});
    const text = await page({ "x-api-key": key });
    expect(text).toContain(`href="${attempt.authorizeUrl.replaceAll("&", "&amp;")}"`);
    expect(text).toContain(`href="${attempt.shortUrl}"`);
    expect(text).toContain('data-attempt="attempt-1"');
    expect(text).toMatch(/Open for (9|10) more minutes/);
  });

  it("asks before a person is added who was not here, in the place of the field, and only after the key (A27)", async () => {
    await kit.close();
    fake = createFakeCommands({ outcome: "confirm", question: { ...question, email: "<b>dana@example.com" } });
    kit = await startServer({ commands: fake.commands });
    await fake.commands.startLogin({});
    await ask(kit.port, post(kit.port, "/auth/device/submit", { code: "c#state-1" }));
    const text = await page({ "x-api-key": key });
    expect(text).toContain("Add &lt;b&gt;dana@example.com to this proxy?");
    expect(text).toContain('data-action="accept" data-attempt="attempt-1" data-confirm="confirm-1"');
    expect(text).not.toContain('id="code"');
    expect(await page()).not.toContain("dana");
  });

  it("offers a new link when the direct one was withdrawn", async () => {
    await using own = await startServer({ commands: { ...fake.commands, pendingLogin: () => ({ ...attempt, shortUrl: null }) } });
    expect(await ask(own.port, head(own.port, "GET /auth/device"))).toMatch(/tried ten wrong links. <button type="button" data-action="start">/);
  });

  it("in pass-through mode there is nothing to sign in to, and the key is asked for although requests need none (S2)", async () => {
    await using own = await startServer({ mode: "pass-through", key: null });
    expect(await ask(own.port, head(own.port, "GET /auth/device", { "x-api-key": null }))).toContain("Enter the local key");
    const text = await ask(own.port, head(own.port, "GET /auth/device"));
    expect(text).toContain("keeps its own login");
    expect(text).not.toContain("Start a sign-in");
  });

  it("where requests need no key, accounts, sign-in, events and metrics still do, in both modes (S2)", async () => {
    for (const mode of ["oauth", "pass-through"] as const) {
      await using own = await startServer({ mode, key: null });
      const keyless = { "x-api-key": null };
      for (const path of [
        "/api/accounts", "/auth/status", "/events", "/metrics", "/api/status", "/api/oauth/tokens", "/oauth/authorize",
      ]) expect(statusOf(await ask(own.port, head(own.port, `GET ${path}`, keyless)))).toBe(401);
      for (const path of [
        "/auth/logout", "/auth/refresh", "/api/accounts", "/api/oauth/exchange", "/auth/device",
      ]) expect(statusOf(await ask(own.port, post(own.port, path, { all: true }, keyless)))).toBe(401);
      for (const method of ["PATCH", "DELETE"]) expect(statusOf(await ask(own.port, head(own.port, `${method} /api/accounts/max-1`, keyless)))).toBe(401);
      expect(statusOf(await ask(own.port, head(own.port, "GET /v1/models", keyless)))).toBe(200);
      expect(statusOf(await ask(own.port, post(own.port, "/api/event_logging/batch", {}, keyless)))).toBe(204);
    }
  });

  it("labels and errors from outside are text", async () => {
    account('</main><script>alert("x")</script>');
    const text = await page({ "x-api-key": key });
    expect(text).toContain("&lt;/main&gt;&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;");
    expect(text).toContain("&lt;b&gt;bad&lt;/b&gt;");
    expect(text.match(/<script/g)).toHaveLength(1);
  });

  it("loads nothing, runs only its own script, and uses a fresh nonce each time", async () => {
    const texts = [await page({ "x-api-key": key }), await page({ "x-api-key": key })];
    const nonces = texts.map((text) => /script-src 'nonce-([\w-]+)'/.exec(headerOf(text, "content-security-policy") ?? "")?.[1]);
    expect(new Set(nonces).size).toBe(2);
    for (const [index, text] of texts.entries()) {
      expect(text).toContain(`<script nonce="${nonces[index]}">`);
      expect(headerOf(text, "referrer-policy")).toBe("no-referrer");
      expect(bodyOf(text)).not.toMatch(/\s(src|on\w+|style)=|@import|url\(|<link|<iframe|<img/i);
    }
  });
});
