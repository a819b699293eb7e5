// Where the browser comes back to, and the short way to the link.
import type { IncomingMessage } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { callbackPage, linkAnswer } from "../../src/api/login.ts";
import { systemRandom } from "../../src/lib/random.ts";
import type { CallbackResult } from "../../src/messages/commands.ts";
import { ask, bodyOf, errorOf, head, headerOf, openWire, startServer, statusOf } from "../server/kit.ts";
import { createFakeCommands, returningPage } from "./fake-commands.ts";

let fake: ReturnType<typeof createFakeCommands>;
let kit: Awaited<ReturnType<typeof startServer>>;
beforeEach(async () => {
  fake = createFakeCommands();
  kit = await startServer({ commands: fake.commands });
});
afterEach(() => kit.close());

const open = (target: string): Promise<string> => ask(kit.port, head(kit.port, `GET ${target}`, { "x-api-key": null }));

describe("/callback and /oauth/callback", () => {
  it("hand code and state to the sign-in and show what came of it", async () => {
    for (const path of ["/callback", "/oauth/callback"]) {
      const text = await open(`${path}?code=abc&state=state-2`);
      expect(statusOf(text)).toBe(200);
      expect(text).toContain("<h1>Signed in</h1>");
    }
    expect(fake.calls[0]).toEqual(["completeCallback", "code=abc&state=state-2"]);
  });

  it("hand the browser's cookies over; the sign-in's refusal of another browser is 403, and keeps the address to paste (A26)", async () => {
    await kit.close();
    fake = createFakeCommands(undefined, { result: "foreign", message: "This browser did not open the link." });
    kit = await startServer({ commands: fake.commands });
    for (const path of ["/callback", "/oauth/callback"]) {
      const text = await ask(kit.port, head(kit.port, `GET ${path}?code=abc&state=state-2`, { "x-api-key": null, cookie: "a=b" }));
      expect(statusOf(text)).toBe(403);
      expect(text).toContain("This browser did not open the link.");
      expect(text).not.toContain("history.replaceState");
    }
    expect(fake.calls[0]).toEqual(["completeCallback", "code=abc&state=state-2", "a=b"]);
  });

  it.each<[CallbackResult["result"], number, string]>([["confirm", 200, "Almost signed in"], ["lost", 409, "Not signed in by this browser"]])("%s is %i", async (result, status, title) => {
    await kit.close();
    fake = createFakeCommands(undefined, { result, message: "What to do." } as CallbackResult);
    kit = await startServer({ commands: fake.commands });
    const text = await open("/callback?code=abc&state=state-2");
    expect(statusOf(text)).toBe(status);
    expect(text).toContain(`<h1>${title}</h1>`);
    expect(text).toContain("history.replaceState");
  });

  it("a wrong or missing state is 400 (A19)", async () => {
    for (const query of ["?code=abc&state=other", "?code=abc", "", "?state=state-2"]) expect(statusOf(await open(`/callback${query}`))).toBe(400);
  });

  it("a parameter that is there twice reaches the sign-in twice, which refuses it (A19)", async () => {
    for (const query of ["code=a&code=b&state=state-2", "code=a&state=state-2&state=x"]) expect(statusOf(await open(`/callback?${query}`))).toBe(400);
    expect(fake.calls).toEqual([["completeCallback", "code=a&code=b&state=state-2"], ["completeCallback", "code=a&state=state-2&state=x"]]);
  });

  it("a sign-in that can be tried again keeps its code in the address, any other page forgets it", async () => {
    await kit.close();
    fake = createFakeCommands(undefined, { result: "retry", message: "Reload this page to try again." });
    kit = await startServer({ commands: fake.commands });
    const again = await open("/callback?code=abc&state=state-2");
    expect(statusOf(again)).toBe(502);
    expect(again).toContain("<h1>Not yet signed in</h1>");
    expect(again).not.toContain("history.replaceState");
    expect(await open("/callback?code=abc&state=other")).toContain("history.replaceState");
  });

  it("the server's own error is shown as text, never as markup (A23)", async () => {
    const text = await open("/callback?error=access_denied&error_description=%3Cscript%3Ealert(1)%3C%2Fscript%3E%1B%5D0%3Bx%07&state=state-2");
    expect(statusOf(text)).toBe(400);
    expect(Buffer.from(text, "latin1").toString()).toContain("&lt;script&gt;alert(1)&lt;/script&gt;·]0;x·");
    expect(text).toContain("<h1>Not signed in</h1>");
    expect(text).not.toContain("<script>alert");
  });

  it("HEAD does not use a code up", async () => {
    const wire = openWire(kit.port);
    wire.write(head(kit.port, "HEAD /callback?code=abc&state=state-2", { connection: "close" }));
    expect(statusOf(await wire.closed())).toBe(405);
    expect(fake.calls).toEqual([]);
  });

  it("the page is in no cache, in no frame, and sends its address nowhere", async () => {
    const text = await open("/callback?code=abc&state=state-2");
    expect(headerOf(text, "cache-control")).toBe("no-store");
    expect(headerOf(text, "referrer-policy")).toBe("no-referrer");
    expect(headerOf(text, "content-security-policy")).toMatch(/^default-src 'none';.*frame-ancestors 'none'/);
    expect(bodyOf(text)).not.toContain("abc");
  });
});

describe("the page that both listeners of a sign-in show", () => {
  it("escapes what comes from outside, loads nothing and sends its address nowhere", () => {
    const { status, body, headers } = callbackPage({ result: "failed", message: `<script>alert("1")</script>&'` }, { random: systemRandom, accountsPage: null });
    expect(status).toBe(400);
    expect(body).toContain("<p role=\"alert\">&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;</p>");
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
    expect(headers).toMatchObject({ "referrer-policy": "no-referrer", "cache-control": "no-store" });
  });

  it("leads to the accounts only where there is such a page", () => {
    const [there, nowhere] = ["/auth/device", null].map((accountsPage) => callbackPage({ result: "signed-in" }, { random: systemRandom, accountsPage }).body);
    expect(there).toContain('<a href="/auth/device">Accounts</a>');
    expect(nowhere).not.toContain("<a ");
  });
});

describe("/login/TOKEN", () => {
  const link = "/login/token-00001";

  it("leads to the open sign-in and gives its cookie; without a token there is nothing (A26)", async () => {
    expect(errorOf(await open("/login"))).toMatchObject({ status: 404, code: "not-found" });
    expect(statusOf(await open("/login/"))).toBe(404);
    expect(statusOf(await open(link))).toBe(404);
    await fake.commands.startLogin({});
    const text = await open(link);
    expect(statusOf(text)).toBe(302);
    expect(headerOf(text, "location")).toBe(returningPage);
    expect(headerOf(text, "set-cookie")).toBe("sign_in=1; HttpOnly; SameSite=Lax");
    expect(headerOf(text, "cache-control")).toBe("no-store");
    expect(headerOf(text, "referrer-policy")).toBe("no-referrer");
    fake.commands.cancelLogin("attempt-1");
    const gone = await open(link);
    expect(statusOf(gone)).toBe(404);
    expect(gone).toContain('<p role="alert">This link is not open.</p>');
  });

  it.each(["javascript:alert(1)", "data:text/html,x", "file:///x"])("leads nowhere but to a web address (S17): %s", (location) => {
    const commands = { openLink: () => ({ result: "open", location, setCookie: null }) as const };
    const request = { headers: { host: "localhost" } } as IncomingMessage;
    const { status, headers, body } = linkAnswer(commands, { request, token: "t" }, { random: systemRandom, accountsPage: null });
    expect([status, headers["location"], body.includes(location)]).toEqual([404, undefined, false]);
  });

  it("takes the Cookie and the Host of the browser along", async () => {
    await ask(kit.port, head(kit.port, `GET ${link}`, { "x-api-key": null, cookie: "a=b", host: `localhost:${kit.port}` }));
    expect(fake.calls).toEqual([["openLink", "token-00001", "a=b", `localhost:${kit.port}`]]);
  });

  it.each<[string, string, Record<string, string>, number]>([
    ["HEAD", "HEAD", {}, 405],
    ["a prefetch", "GET", { "sec-purpose": "prefetch" }, 403],
    ["a prerendering", "GET", { "sec-purpose": "prefetch;prerender" }, 403],
    ["a preview of Safari", "GET", { "x-purpose": "preview" }, 403],
    ["a picture of a page of ours", "GET", { "sec-fetch-site": "same-origin", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" }, 403],
    ["a picture of a foreign page", "GET", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" }, 403],
  ])("is not used up by %s (A26)", async (_what, method, fields, status) => {
    const wire = openWire(kit.port);
    wire.write(head(kit.port, `${method} ${link}`, { "x-api-key": null, connection: "close", ...fields }));
    expect(statusOf(await wire.closed())).toBe(status);
    expect(fake.calls).toEqual([]);
  });

  it("may be followed from a page elsewhere, such as a terminal in the browser: as a navigation", async () => {
    await fake.commands.startLogin({});
    const text = await ask(kit.port, head(kit.port, `GET ${link}`, { "x-api-key": null, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" }));
    expect(statusOf(text)).toBe(302);
  });

  it("is in no notice about a refused request (A26)", async () => {
    for (const host of ["evil.example", `localhost:${kit.port + 1}`]) expect(statusOf(await ask(kit.port, head(kit.port, `GET ${link}`, { host })))).toBe(403);
    await ask(kit.port, head(kit.port, `GET http://localhost${link}`, {}));
    expect(JSON.stringify(kit.events)).toContain("GET /login/… (Host evil.example)");
    expect(JSON.stringify(kit.events)).not.toContain("token-00001");
  });
});
