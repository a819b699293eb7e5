// The store without a server: every sign-in has a listener of its own for the browser's way back.
import { describe, expect, it, onTestFinished } from "vitest";
import { openStore } from "../../src/app/open-store.ts";
import type { OpenStore } from "../../src/app/open-store.ts";
import { createUpstream } from "../../src/demo/upstream.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { secret } from "../../src/lib/secret.ts";
import { settingsOf, temporaryFolder } from "../helpers/running-app.ts";
import { visit } from "../helpers/visit.ts";

const open = async (set: readonly string[] = []) => {
  const upstream = await createUpstream({ clock: createSystemClock(), random: systemRandom });
  onTestFinished(() => upstream.close());
  const config = settingsOf([...Object.entries(upstream.settings()).map(([key, value]) => `${key}=${value}`), ...set]);
  const store = await openStore({ config, dir: temporaryFolder(), version: "0.0.0-test", environment: {}, askPassphrase: async () => null, process });
  onTestFinished(() => store.close());
  return { upstream, store };
};

const startLogin = async ({ commands }: OpenStore): Promise<{ readonly link: string; readonly callback: string }> => {
  const link = (await commands.startLogin({})).shortUrl ?? "";
  return { link, callback: new URL("/callback", link).href };
};

const isOpen = (address: string): Promise<boolean> => fetch(address).then(() => true, () => false);

describe("a sign-in without a server", () => {
  it("is completed by the browser, which is shown so and leads to no page of a server", async () => {
    const { upstream, store } = await open();
    const { link, callback } = await startLogin(store);
    const page = await upstream.approve(link);
    expect(page).toContain("<h1>Signed in</h1>");
    expect(page).not.toContain("/auth/device");
    expect(store.store.snapshot().accounts).toMatchObject([{ id: "claude", kind: "oauth" }]);
    await expect.poll(() => isOpen(callback)).toBe(false);
  });

  it("that is started again listens anew, and the one before is gone", async () => {
    const { upstream, store } = await open();
    const [first, second] = [await startLogin(store), await startLogin(store)];
    expect(await isOpen(first.callback)).toBe(false);
    expect(await upstream.approve(second.link)).toContain("Signed in");
  });

  it("that is cancelled gives its port back (A24)", async () => {
    const { store } = await open();
    const { callback } = await startLogin(store);
    expect(await isOpen(callback)).toBe(true);
    store.commands.cancelLogin(store.commands.pendingLogin()?.attemptId ?? "");
    await expect.poll(() => isOpen(callback)).toBe(false);
  });

  it("listens for nothing when the callback is off", async () => {
    const { store } = await open(["oauth.callback=false"]);
    expect(await store.commands.startLogin({})).toMatchObject({ returns: false, shortUrl: null });
  });

  it("belongs to the browser that opened its link: another one with the right answer of the page is refused (A26)", async () => {
    const { upstream, store } = await open();
    const { link, callback } = await startLogin(store);
    const [first, second] = [await visit(link), await visit(link)];
    expect([first.status, first.cookie]).toEqual([302, expect.stringContaining("claude_oauth_proxy_sign_in_")]);
    expect([second.status, second.text]).toEqual([403, expect.stringContaining("Another browser has opened this link already")]);
    // Signed in at the page that the first was sent to, but without its cookie.
    expect(await upstream.approve(first.location)).toContain("Paste the code in the terminal");
    expect([store.store.snapshot().accounts, await isOpen(callback)]).toEqual([[], true]);
    for (let tries = 0; tries < 10; tries += 1) expect((await visit(new URL(`/login/wrong-${tries}`, link).href)).status).toBe(404);
    expect(store.commands.pendingLogin()).toMatchObject({ shortUrl: null });
  });

  it("that is the browser's, but of a person who has to be asked for, waits with its listener, and ends with the answer", async () => {
    const { upstream, store } = await open();
    const { commands } = store;
    await commands.addApiKey({ key: secret("sk-ant-api03-0123456789") });
    const { link, callback } = await startLogin(store);
    expect(await upstream.approve(link)).toContain("<h1>Almost signed in</h1>");
    expect(await isOpen(callback)).toBe(true);
    const { attemptId, question } = commands.pendingLogin() ?? {};
    expect(question).toMatchObject({ email: "ada@example.com", replaces: null });
    expect(await commands.answerIdentity({ attemptId: attemptId ?? null, confirm: question?.confirm ?? "", accept: true })).toMatchObject({ outcome: "signed-in", accountId: "claude" });
    await expect.poll(() => isOpen(callback)).toBe(false);
  });
});
