// Where the browser comes back to, and the short way to the link.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
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
    expect(fake.wishes[0]).toEqual(["completeCallback", "abc", { state: "state-2", error: null, errorDescription: null }]);
  });

  it("A19 a wrong or missing state is 400", async () => {
    for (const query of ["?code=abc&state=other", "?code=abc", "", "?state=state-2"]) expect(statusOf(await open(`/callback${query}`))).toBe(400);
  });

  it("A19 a parameter that is there twice is refused without asking the sign-in", async () => {
    for (const query of ["?code=a&code=b&state=state-2", "?code=a&state=state-2&state=x"]) expect(statusOf(await open(`/callback${query}`))).toBe(400);
    expect(fake.wishes).toEqual([]);
  });

  it("A23 the server's own error is shown as text, never as markup", async () => {
    const text = await open("/callback?error=access_denied&error_description=%3Cscript%3Ealert(1)%3C%2Fscript%3E%1B%5D0%3Bx%07&state=state-2");
    expect(statusOf(text)).toBe(400);
    expect(Buffer.from(text, "latin1").toString()).toContain("&lt;script&gt;alert(1)&lt;/script&gt;·]0;x·");
    expect(text).toContain("<h1>Not &lt;signed&gt; in</h1>");
    expect(text).not.toContain("<script>alert");
  });

  it("HEAD does not use a code up", async () => {
    const wire = openWire(kit.port);
    wire.write(head(kit.port, "HEAD /callback?code=abc&state=state-2", { connection: "close" }));
    expect(statusOf(await wire.closed())).toBe(405);
    expect(fake.wishes).toEqual([]);
  });

  it("the page is in no cache, in no frame, and sends its address nowhere", async () => {
    const text = await open("/callback?code=abc&state=state-2");
    expect(headerOf(text, "cache-control")).toBe("no-store");
    expect(headerOf(text, "referrer-policy")).toBe("no-referrer");
    expect(headerOf(text, "content-security-policy")).toMatch(/^default-src 'none';.*frame-ancestors 'none'/);
    expect(bodyOf(text)).not.toContain("abc");
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
    fake.commands.cancelLogin("attempt-1");
    expect(statusOf(await open("/login"))).toBe(404);
  });
});
