// While a sign-in is open, another user of the machine tries to make it his own: by the open addresses, by the link in the
// arguments of the browser's opener, by the other address of localhost, from the network. And what a real browser does.
import { execFile } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { browserPath, openBrowser } from "../helpers/browser.ts";
import { createDataFolder } from "../helpers/data-folder.ts";
import type { DataFolder, Proxy } from "../helpers/data-folder.ts";
import { eventually } from "../helpers/eventually.ts";
import { closeLater, temporaryFolder } from "../helpers/leftovers.ts";
import { asOtherUser, commandLinesSeenByOther, hasOtherUser } from "../helpers/other-user.ts";
import { launcher } from "../helpers/program.ts";
import type { Environment } from "../helpers/program.ts";
import { openTerminal } from "../helpers/terminal.ts";
import type { Terminal } from "../helpers/terminal.ts";
import { visit } from "../helpers/visit.ts";

type Started = { readonly auth_url: string; readonly attempt_id: string; readonly browser_url: string | null };

const post = async (folder: DataFolder, { url }: Proxy, path: string, body: object): Promise<{ readonly status: number; readonly json: unknown }> => {
  const headers = { authorization: `Bearer ${folder.key()}`, "content-type": "application/json" };
  const answer = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: answer.status, json: await answer.json() };
};

const start = async (folder: DataFolder, proxy: Proxy): Promise<Started> => (await post(folder, proxy, "/auth/device/start", {})).json as Started;

const open = async (set: readonly string[] = []) => {
  const folder = await createDataFolder();
  const proxy = await folder.proxy({ set });
  return { folder, proxy, started: await start(folder, proxy) };
};

/** Status and page of one GET of the other user. */
const ask = async (url: string, ...more: readonly string[]): Promise<{ readonly status: number; readonly page: string }> => {
  const page = await asOtherUser("curl", "-s", "-o", "-", "-w", "\n%{http_code}", ...more, url);
  return { status: Number(page.slice(page.lastIndexOf("\n"))), page };
};

const addresses = Object.values(networkInterfaces()).flat();
const lanAddress = addresses.find((address) => address?.family === "IPv4" && !address.internal)?.address;
const hasSix = addresses.some((address) => address?.address === "::1");

describe.skipIf(!hasOtherUser)("another user of the machine (needs root, to be one)", () => {
  it.each([["with the callback", []], ["without it", ["oauth.callback=false"]]] as const)("%s gets neither the link of an open sign-in nor into its callback (A26)", async (_case, set) => {
    const { folder, proxy, started } = await open(set);
    expect(await ask(`${proxy.url}/login`)).toMatchObject({ status: 404 });
    for (let tries = 0; tries < 9; tries += 1) expect(await ask(`${proxy.url}/login/${"A".repeat(10)}${tries}`)).toMatchObject({ status: 404 });
    for (const state of ["mine", new URL(started.auth_url).searchParams.get("state") ?? ""]) {
      const { status, page } = await ask(`${proxy.url}/callback?code=${await codeOf(folder, started)}&state=${state}`);
      expect([status, page]).toEqual([403, expect.stringContaining("Paste the code in the terminal")]);
    }
    expect((await ask(`${proxy.url}/login/wrong`)).status).toBe(404);
    expect(await proxy.waitForEvent("notice", ({ code }) => code === "sign-in-link")).toMatchObject({ message: expect.stringContaining("Ten wrong tries") });
    const pasted = await folder.upstream.approve(started.auth_url, { user: "ada" });
    expect((await post(folder, proxy, "/auth/device/submit", { code: pasted, attempt_id: started.attempt_id })).status).toBe(200);
    expect(Object.values(folder.accounts())).toMatchObject([{ account: { email_address: "ada@example.com" } }]);
    expect((await proxy.ask()).status).toBe(200);
    expect(folder.upstream.requests.filter(({ target }) => target.startsWith("/v1/messages")).map(({ account }) => account)).toEqual(["ada"]);
  });

  it.skipIf(lanAddress === undefined)("gets no further by the network's address and a forged Host (A26)", async () => {
    const { proxy } = await open(["server.host=0.0.0.0"]);
    const { port } = new URL(proxy.url);
    const forged = ["-H", `Host: localhost:${port}`];
    const paths = ["/login", "/login/AAAAAAAAAAA", "/callback?code=a&state=b", "/oauth/callback?code=a&state=b"];
    const statuses = await Promise.all(paths.map((path) => ask(`http://${lanAddress}:${port}${path}`, ...forged)));
    expect(statuses.map(({ status }) => status)).toEqual([404, 404, 403, 403]);
  });

  it("sees in the arguments of the opener a link that is worth nothing once the browser has used it (A26)", async () => {
    const { terminal, seen, go, folder } = await signInWithBrowser([]);
    const lines = await eventually(commandLinesSeenByOther, (text) => /\/login\/[\w-]{11}/.test(text), { what: "the opener's arguments" });
    expect(lines).not.toContain("state=");
    const link = /http:\/\/localhost:\d+\/login\/[\w-]{11}/.exec(lines)?.[0] ?? "";
    go();
    await terminal.waitFor("signed in");
    expect(seen()).toContain("Signed in");
    expect(terminal.everything()).toContain(link);
    expect(Object.values(folder.accounts())).toMatchObject([{ account: { email_address: "ada@example.com" } }]);
  });

  it("who was faster with that link has it, and the person is told on the screen and in the browser (A26)", async () => {
    const { terminal, seen, go, folder } = await signInWithBrowser([]);
    const lines = await eventually(commandLinesSeenByOther, (text) => /\/login\/[\w-]{11}/.test(text), { what: "the opener's arguments" });
    const link = /http:\/\/localhost:\d+\/login\/[\w-]{11}/.exec(lines)?.[0] ?? "";
    expect((await ask(link)).status).toBe(302);
    go();
    await terminal.waitFor("A second browser came with the sign-in link");
    await eventually(seen, (text) => text.includes("Another browser has opened this link already"), { what: "what the browser is told" });
    terminal.write("n");
    await terminal.waitFor((screen) => !screen.includes("A second browser came"));
    expect(await ask(link)).toMatchObject({ status: 0 });
    expect(() => folder.accounts()).toThrow("ENOENT");
  });

  it("sees only the name of a file that they cannot read where nothing of ours listens (A26)", async () => {
    const { terminal, go, folder } = await signInWithBrowser(["oauth.callback=false"]);
    const lines = await eventually(commandLinesSeenByOther, (text) => text.includes("sign-in.html"), { what: "the opener's arguments" });
    const path = join(folder.dir, "sign-in.html");
    expect(lines).toContain(`file://${path}`);
    expect(lines).not.toContain("state=");
    const link = terminal.everything().split("\n").find((line) => line.includes("/oauth/authorize?")) ?? "none";
    expect(readFileSync(path, "utf8")).toContain(link.replaceAll("&", "&amp;"));
    expect(await asOtherUser("cat", path)).toContain("Permission denied");
    go();
    terminal.write("\u001b");
    await terminal.waitForExit();
    expect(() => readFileSync(path)).toThrow("ENOENT");
  });

  it.skipIf(!hasSix)("who listens on the other address of localhost is sent no browser, where there is IPv6 (A26)", async () => {
    const folder = await createDataFolder();
    const proxy = await folder.proxy();
    const port = Number(new URL(proxy.url).port);
    const impostor = createServer((_request, response) => response.end("impostor"));
    await new Promise<void>((resolve) => void impostor.listen({ host: "::1", port, ipv6Only: true }, resolve));
    closeLater(async () => void impostor.close());
    expect((await start(folder, proxy)).browser_url).toBeNull();
    expect(await proxy.waitForEvent("notice", ({ code }) => code === "sign-in-link")).toMatchObject({ message: expect.stringContaining("may lead to another program") });
    impostor.close();
    await eventually(async () => (await start(folder, proxy)).browser_url, (link) => link !== null, { what: "a link, now that localhost is ours" });
  });
});

/** The code that a person of the attacker's got at the page, for whatever link. */
const codeOf = async (folder: DataFolder, { auth_url: link }: Started): Promise<string> => (await folder.upstream.approve(link, { user: "grace" })).split("#")[0] ?? "";

type WithBrowser = {
  readonly terminal: Terminal;
  readonly folder: DataFolder;
  /** What the browser has shown. */
  seen(): string;
  /** It begins to load the page only now. */
  go(): void;
};

const login = (folder: DataFolder, more: readonly string[], env: Environment = {}): Terminal => {
  const settings = [...Object.entries(folder.upstream.settings()).map(([name, value]) => `${name}=${value}`), "terms.accepted=true"];
  return openTerminal({ cols: 120, rows: 30, args: [launcher, "login", "--dir", folder.dir, ...settings.flatMap((setting) => ["--set", setting]), ...more], env });
};

// `login` on a desktop whose only browser is a script: it waits for a sign, as a real one that starts slowly.
const signInWithBrowser = async (set: readonly string[]): Promise<WithBrowser> => {
  const folder = await createDataFolder();
  const tools = temporaryFolder();
  const [browser, sign, shown] = [join(tools, "browser"), join(tools, "go"), join(tools, "shown")];
  writeFileSync(browser, `#!/bin/sh\nwhile [ ! -e ${sign} ]; do sleep 0.05; done\ncurl -sLb "" "$1" > ${shown} 2>&1\n`);
  chmodSync(browser, 0o755);
  const terminal = login(folder, set.flatMap((setting) => ["--set", setting]), { DISPLAY: ":0", BROWSER: browser, XDG_DATA_DIRS: tools });
  await terminal.waitFor("Paste code >");
  const read = (): string => { try { return readFileSync(shown, "utf8"); } catch { return ""; } };
  return { terminal, folder, seen: read, go: () => writeFileSync(sign, "") };
};

let chromium: Browser;
const newBrowser = (): Promise<BrowserContext> => chromium.newContext();

describe.skipIf(browserPath === null)("a real browser (needs Chromium)", () => {
  beforeAll(async () => { chromium = await openBrowser(); });
  afterAll(() => chromium.close());

  it("opens the link, signs in at another site, comes back with its Lax cookie; the same link works again in it and in no other (A26)", async () => {
    const { folder, started } = await open();
    const link = started.browser_url ?? "";
    const [mine, other] = [await newBrowser(), await newBrowser()];
    const page = await mine.newPage();
    await page.goto(link);
    await page.getByRole("button", { name: "Authorize" }).waitFor();
    const foreign = await other.newPage();
    expect((await foreign.goto(link))?.status()).toBe(403);
    expect(await foreign.textContent("main")).toContain("Another browser has opened this link already");
    const again = await mine.newPage();
    await again.goto(link);
    await again.getByRole("button", { name: "Authorize" }).click();
    await again.getByRole("heading", { name: "Signed in" }).waitFor();
    expect(again.url()).toBe(`${new URL(link).origin}/callback`);
    expect(Object.keys(folder.accounts())).toEqual(["claude"]);
    expect(await mine.cookies(link)).toMatchObject([{ domain: "localhost", httpOnly: true, sameSite: "Lax", path: "/" }]);
  });

  it("that comes back after a paste has finished the sign-in is told so (A26)", async () => {
    const { folder, proxy, started } = await open();
    const page = await (await newBrowser()).newPage();
    await page.goto(started.browser_url ?? "");
    await page.getByLabel("Account").selectOption("grace");
    await post(folder, proxy, "/auth/device/submit", { code: await folder.upstream.approve(started.auth_url) });
    await page.getByRole("button", { name: "Authorize" }).click();
    await page.getByRole("heading", { name: "Not signed in by this browser" }).waitFor();
    expect(Object.values(folder.accounts())).toMatchObject([{ account: { email_address: "ada@example.com" } }]);
  });

  it("that did not open the link comes back to a sentence, and the address that it shows can be pasted (A26)", async () => {
    const { folder, proxy, started } = await open();
    const { location } = await visit(started.browser_url ?? "");
    const page = await (await newBrowser()).newPage();
    await page.goto(location);
    await page.getByRole("button", { name: "Authorize" }).click();
    await page.getByText("This browser did not open the link of a sign-in that waits here.").waitFor();
    expect(() => folder.accounts()).toThrow("ENOENT");
    expect((await post(folder, proxy, "/auth/device/submit", { code: page.url() })).status).toBe(200);
  });

  it("signs in without a code from the page, and there a new person is asked for (A27)", async () => {
    const { folder, proxy, started } = await open();
    await post(folder, proxy, "/auth/device/submit", { code: await folder.upstream.approve(started.auth_url) });
    const context = await newBrowser();
    const page = await context.newPage();
    // Under the other name of this machine: the cookie has to be one of localhost all the same.
    await page.goto(`${proxy.url}/auth/device`);
    await page.getByLabel("Local key", { exact: true }).fill(folder.key());
    await page.getByRole("button", { name: "Continue" }).click();
    for (const [answer, says, accounts] of [["No", "Nothing was added", ["claude"]], ["Yes", "Signed in.", ["claude", "claude-2"]]] as const) {
      await page.getByRole("button", { name: "Start a sign-in" }).click();
      const popup = context.waitForEvent("page");
      await page.getByRole("link", { name: "sign in without a code" }).click();
      const consent = await popup;
      await consent.getByLabel("Account").selectOption("grace");
      await consent.getByRole("button", { name: "Authorize" }).click();
      await consent.getByRole("heading", { name: "Almost signed in" }).waitFor();
      await page.getByRole("heading", { name: "Add grace@example.com to this proxy?" }).waitFor();
      expect(Object.keys(folder.accounts())).toEqual(["claude"]);
      await page.getByRole("button", { name: answer, exact: true }).click();
      await page.getByRole("status").filter({ hasText: says }).waitFor();
      expect(Object.keys(folder.accounts())).toEqual(accounts);
    }
  });
});

describe("a person who was not here, at a terminal", () => {
  it("is asked about before the account of that name is replaced: n leaves it, y replaces it (A27, A28)", async () => {
    const folder = await createDataFolder();
    const first = folder.program(["login", "--account", "work"]);
    first.write(`${await folder.upstream.approve(await first.waitForLine(/^http:.*authorize\?/))}\n`);
    expect((await first.waitForExit()).code).toBe(0);
    const before = folder.accounts()["work"]?.access_token;
    const again = async (answer: string) => {
      const terminal = login(folder, ["--account", "work", "--no-browser"]);
      await terminal.waitFor("Paste code >");
      const link = terminal.everything().split("\n").find((line) => line.includes("authorize?")) ?? "";
      terminal.paste(await folder.upstream.approve(link, { user: "grace" }));
      await terminal.waitFor('Replace ada@example.com by grace@example.com in the account "work"?');
      await terminal.waitFor("y/N");
      terminal.write(answer);
      return terminal;
    };
    const declined = await again("n");
    await declined.waitFor('The account "work" was left as it is, and the new tokens were given back');
    declined.write("\u001b");
    expect([await declined.waitForExit(), folder.accounts()["work"]?.access_token]).toEqual([1, before]);
    const accepted = await again("y");
    expect([await accepted.waitForExit(), folder.accounts()["work"]]).toEqual([0, expect.objectContaining({ account: expect.objectContaining({ email_address: "grace@example.com" }) })]);
    const piped = folder.program(["login"]);
    piped.write(`${await folder.upstream.approve(await piped.waitForLine(/^http:.*authorize\?/), { user: "alan" })}\n`);
    expect([(await piped.waitForExit()).code, piped.stderr()]).toEqual([1, expect.stringContaining("alan@example.com, who has no account in this proxy yet")]);
    expect(Object.keys(folder.accounts())).toEqual(["work"]);
  });
});

describe("the demo without a browser", () => {
  it("is signed in by the line that it names", async () => {
    const terminal = openTerminal({ cols: 120, rows: 30, args: [launcher, "demo", "--port", "0"] });
    await terminal.waitFor("press y");
    terminal.write("y");
    await terminal.waitFor("Paste code >");
    const text = terminal.everything();
    const line = /`(curl -sLb "" )LINK`/.exec(text)?.[1] ?? "";
    const link = /http:\/\/localhost:\d+\/login\/[\w-]{11}/.exec(text)?.[0] ?? "";
    const page = await new Promise<string>((resolve) => void execFile("sh", ["-c", line + link], (_error, out) => resolve(out)));
    expect(page).toContain("<h1>Signed in</h1>");
    await terminal.waitFor(() => terminal.alternate(), { what: "the dashboard" });
    terminal.write("q");
    expect(await terminal.waitForExit()).toBe(0);
  });
});
