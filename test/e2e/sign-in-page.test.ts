// The sign-in page in a real browser: key, sign-in, accounts, and nothing that its own policy would stop.
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createFakeCommands } from "../api/fake-commands.ts";
import { browserPath, openBrowser } from "../helpers/browser.ts";
import { key, startServer } from "../server/kit.ts";

let browser: Browser;
let page: Page;
let fake: ReturnType<typeof createFakeCommands>;
let kit: Awaited<ReturnType<typeof startServer>>;
let complaints: string[];

const account = (id: string, label: string, health: "healthy" | "needs-login" = "healthy") =>
  kit.publish({ type: "account.added", accountId: id, kind: "oauth", label, enabled: true, priority: 1, expiresAt: Date.now() + 1e7, renewable: true, health, lastError: null });

const says = (text: string): Promise<void> => page.getByRole("status").filter({ hasText: text }).waitFor();

const unlock = async (): Promise<void> => {
  await page.getByLabel("Local key", { exact: true }).fill(key);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("heading", { name: "Accounts" }).waitFor();
};

describe.skipIf(browserPath === null)("the sign-in page (needs Chromium)", () => {
  beforeAll(async () => { browser = await openBrowser(); });
  afterAll(() => browser.close());

  beforeEach(async () => {
    fake = createFakeCommands();
    kit = await startServer({ commands: fake.commands });
    page = await (await browser.newContext()).newPage();
    complaints = [];
    page.on("console", (message) => { if (message.type() === "error" && !message.text().includes("401")) complaints.push(message.text()); });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("dialog", (dialog) => void dialog.accept());
    await page.goto(`${kit.url}/auth/device`);
  });
  afterEach(async () => {
    await page.context().close();
    await kit.close();
    expect(complaints).toEqual([]);
  });

  it("a wrong key is a sentence, the right one opens the page", async () => {
    await page.getByLabel("Local key", { exact: true }).fill("wrong");
    await page.getByRole("button", { name: "Continue" }).click();
    await says("The local key is missing or wrong.");
    await unlock();
  });

  it("a first sign-in: terms, link, code", async () => {
    await unlock();
    await page.getByRole("button", { name: "Start a sign-in" }).click();
    expect(fake.calls).toEqual([]);
    await page.getByRole("checkbox").check();
    await page.getByRole("button", { name: "Start a sign-in" }).click();
    await page.getByRole("link", { name: "Open the sign-in page" }).waitFor();
    await page.getByLabel("Code", { exact: true }).fill("abc#state-1");
    account("max-1", "Max");
    await page.getByText("max-1").waitFor();
    expect(await page.getByLabel("Code", { exact: true }).inputValue()).toBe("abc#state-1");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await says("Signed in.");
    expect(fake.calls).toEqual([["startLogin", { kind: "max" }], ["submitCode", "abc#state-1", "attempt-1"]]);
  });

  it("every button of an account does what it says", async () => {
    account("max-1", "Max");
    account("old-1", "Old", "needs-login");
    await unlock();
    for (const [name, answer] of [["Refresh: Max", "Token refreshed."], ["Disable: Max", "Account disabled."], ["Sign in again: Old", "Open the link"], ["Sign out: Old", "Signed out."]] as const) {
      await page.getByRole("button", { name }).click();
      await says(answer);
    }
    expect(fake.calls).toEqual([["refresh", "max-1"], ["setEnabled", "max-1", false], ["startLogin", { kind: "max", accountId: "old-1" }], ["logout", "old-1"]]);
  });

  it("the key is asked for again after it was forgotten, after a restart, and when its companion is gone", async () => {
    await unlock();
    await page.getByRole("button", { name: "Forget the key" }).click();
    await page.getByLabel("Local key", { exact: true }).waitFor();
    await unlock();
    await page.evaluate(() => localStorage.clear());
    await page.reload();
    await unlock();
    const { port } = kit;
    await kit.close();
    kit = await startServer({ commands: fake.commands, port });
    await page.reload();
    await page.getByLabel("Local key", { exact: true }).waitFor();
  });

  it("a proxy that has gone is a sentence too", async () => {
    account("max-1", "Max");
    await unlock();
    await kit.close();
    await page.getByRole("button", { name: "Refresh: Max" }).click();
    await says("The proxy does not answer.");
    complaints.length = 0;
  });

  it("the key is in no storage that a script can read", async () => {
    await unlock();
    const held = await page.evaluate(() => JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + document.cookie + document.documentElement.outerHTML);
    expect(held).not.toContain(key);
    expect(held).not.toContain("claude_oauth_proxy_");
  });
});
