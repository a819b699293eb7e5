// Where the browser comes back to, and the short way to the link.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { callbackPage } from "../../src/api/login.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { ask, bodyOf, errorOf, head, headerOf, openWire, startServer, statusOf } from "../server/kit.ts";
import { attempt, createFakeCommands } from "./fake-commands.ts";

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

describe("/login", () => {
  it("leads to the open sign-in and nowhere else", async () => {
    expect(errorOf(await open("/login"))).toMatchObject({ status: 404, code: "not-found" });
    await fake.commands.startLogin({});
    const text = await open("/login");
    expect(statusOf(text)).toBe(302);
    expect(headerOf(text, "location")).toBe(attempt.browserUrl);
    expect(headerOf(text, "cache-control")).toBe("no-store");
    expect(headerOf(text, "referrer-policy")).toBe("no-referrer");
    fake.commands.cancelLogin("attempt-1");
    expect(statusOf(await open("/login"))).toBe(404);
  });
});
