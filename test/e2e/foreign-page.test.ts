// A page of another origin, in a real browser, tries to use the proxy: by fetch, by form, by picture, by
// frame, by WebSocket, and under a name of its own that leads to this machine.
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createFakeCommands } from "../api/fake-commands.ts";
import { browserPath, openBrowser } from "../helpers/browser.ts";
import { key, startServer } from "../server/kit.ts";

let browser: Browser;
let foreign: Server;
let page: Page;
let fake: ReturnType<typeof createFakeCommands>;
let kit: Awaited<ReturnType<typeof startServer>>;

const foreignUrl = (): string => `http://127.0.0.1:${(foreign.address() as AddressInfo).port}/`;

/** What a foreign page's script gets to see of one call. */
const call = (path: string, init: RequestInit): Promise<string> =>
  page.evaluate(
    async ({ url, options }) => fetch(url, JSON.parse(options) as RequestInit).then((answer) => `${answer.type} ${answer.status}`, () => "refused"),
    { url: `${kit.url}${path}`, options: JSON.stringify(init) },
  );

/** Loads one of our addresses as a picture or in a frame, and waits for what becomes of it. */
const embed = (kind: "img" | "iframe", path: string): Promise<unknown> =>
  page.evaluate(
    ({ tag, url }) =>
      new Promise((done) => {
        const element = document.createElement(tag);
        element.addEventListener("load", done);
        element.addEventListener("error", done);
        element.setAttribute("src", url);
        document.body.append(element);
      }).then(() => null),
    { tag: kind, url: `${kit.url}${path}` },
  );

const openSocket = (path: string): Promise<string> =>
  page.evaluate(
    (url) =>
      new Promise<string>((done) => {
        const socket = new WebSocket(url);
        socket.addEventListener("open", () => done("open"));
        socket.addEventListener("error", () => done("refused"));
      }),
    `${kit.url.replace("http", "ws")}${path}`,
  );

describe.skipIf(browserPath === null)("a page of another origin (needs Chromium)", () => {
  beforeAll(async () => {
    foreign = createServer((_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<h1>foreign</h1>")).listen(0, "127.0.0.1");
    fake = createFakeCommands();
    kit = await startServer({ commands: fake.commands });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await kit.close();
    foreign.close();
  });
  beforeEach(async () => {
    kit.forwards.length = 0;
    fake.calls.length = 0;
    page = await (await browser.newContext()).newPage();
    // The victim has the page open and the key entered: the browser holds the cookie.
    await page.goto(`${kit.url}/auth/device`);
    await page.getByLabel("Local key", { exact: true }).fill(key);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("heading", { name: "Accounts" }).waitFor();
    await page.goto(foreignUrl());
  });

  it("cannot call or read anything by fetch, even with the key in its hands (S4, S5, S6)", async () => {
    for (const path of ["/v1/messages", "/health", "/auth/status", "/api/accounts"]) {
      expect(await call(path, {})).toBe("refused");
      expect(await call(path, { headers: { "x-api-key": key } })).toBe("refused");
      expect(await call(path, { method: "POST", credentials: "include", headers: { "content-type": "text/plain" }, body: "{}" })).toBe("refused");
    }
    expect(kit.forwards).toEqual([]);
    expect(fake.calls).toEqual([]);
  });

  it("blind requests reach nothing: no-cors, form, picture (S4, S7, S8)", async () => {
    expect(await call("/auth/refresh", { method: "POST", mode: "no-cors", credentials: "include", body: "{}" })).toBe("opaque 0");
    await embed("img", "/v1/models");
    await page.evaluate((url) => {
      document.body.innerHTML = `<form method="post" action="${url}/auth/logout" enctype="text/plain"><input name='{"a":"' value='"}'></form>`;
      document.forms[0]?.submit();
    }, kit.url);
    await page.waitForURL(`${kit.url}/auth/logout`);
    expect(await page.textContent("body")).toContain("permission_error");
    expect(kit.forwards).toEqual([]);
    expect(fake.calls).toEqual([]);
  });

  it("a link from elsewhere does not lead into the page (S8)", async () => {
    await page.evaluate((url) => { location.href = `${url}/auth/device`; }, kit.url);
    await page.waitForURL(`${kit.url}/auth/device`);
    expect(await page.textContent("body")).toContain("permission_error");
  });

  it("the page can be put in no frame", async () => {
    await embed("iframe", "/auth/device");
    expect(await page.frames()[1]?.content()).not.toContain("Accounts");
  });

  it("a WebSocket is refused (S9)", async () => {
    expect(await openSocket("/events")).toBe("refused");
  });

  it("DNS rebinding: a name of the attacker's that leads here is refused, though it is the same origin (S1)", async () => {
    const rebound = await openRebound();
    try {
      const victim = await rebound.newPage();
      const answer = await victim.goto(`http://evil.example:${kit.port}/auth/device`);
      expect(answer?.status()).toBe(403);
      const status = await victim.evaluate(() => fetch("/v1/models").then(({ status: code }) => code));
      expect(status).toBe(403);
    } finally {
      await rebound.close();
    }
    expect(kit.forwards).toEqual([]);
  });

  it("the way back from the sign-in page works across origins, as a navigation (A22)", async () => {
    await page.evaluate((url) => { location.href = `${url}/callback?code=abc&state=state-2`; }, kit.url);
    await page.getByRole("heading", { name: "Signed in" }).waitFor();
    expect(page.url()).toBe(`${kit.url}/callback`);
    expect(fake.calls).toHaveLength(1);
  });
});

const openRebound = (): Promise<Browser> => openBrowser(["--host-resolver-rules=MAP evil.example 127.0.0.1"]);
