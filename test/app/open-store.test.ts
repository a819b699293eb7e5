// The store without a server: every sign-in has a listener of its own for the browser's way back.
import { describe, expect, it, onTestFinished } from "vitest";
import { openStore } from "../../src/app/open-store.ts";
import type { OpenStore } from "../../src/app/open-store.ts";
import { createUpstream } from "../../src/demo/upstream.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { settingsOf, temporaryFolder } from "../helpers/running-app.ts";

const open = async (set: readonly string[] = []) => {
  const upstream = await createUpstream({ clock: createSystemClock(), random: systemRandom });
  onTestFinished(() => upstream.close());
  const config = settingsOf([...Object.entries(upstream.settings()).map(([key, value]) => `${key}=${value}`), ...set]);
  const store = await openStore({ config, dir: temporaryFolder(), version: "0.0.0-test", environment: {}, askPassphrase: async () => null, process });
  onTestFinished(() => store.close());
  return { upstream, store };
};

const startLogin = async ({ commands }: OpenStore): Promise<{ readonly browserUrl: string; readonly callback: string }> => {
  const { browserUrl, shortUrl } = await commands.startLogin({});
  expect(shortUrl).toBeNull();
  return { browserUrl: browserUrl ?? "", callback: new URL(browserUrl ?? "").searchParams.get("redirect_uri") ?? "" };
};

const isOpen = (address: string): Promise<boolean> => fetch(address).then(() => true, () => false);

describe("a sign-in without a server", () => {
  it("is completed by the browser, which is shown so and leads to no page of a server", async () => {
    const { upstream, store } = await open();
    const { browserUrl, callback } = await startLogin(store);
    const page = await upstream.approve(browserUrl);
    expect(page).toContain("<h1>Signed in</h1>");
    expect(page).not.toContain("/auth/device");
    expect(store.store.snapshot().accounts).toMatchObject([{ id: "claude", kind: "oauth" }]);
    await expect.poll(() => isOpen(callback)).toBe(false);
  });

  it("that is started again listens anew, and the one before is gone", async () => {
    const { upstream, store } = await open();
    const [first, second] = [await startLogin(store), await startLogin(store)];
    expect(await isOpen(first.callback)).toBe(false);
    expect(await upstream.approve(second.browserUrl)).toContain("Signed in");
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
    expect(await store.commands.startLogin({})).toMatchObject({ browserUrl: null, shortUrl: null });
  });
});
