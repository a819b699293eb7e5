// A person at a terminal: passphrase, sign-in, dashboard, every pane, an API key typed in. What was drawn, what
// was copied, what was started and what was written holds no secret.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { leaksIn } from "../helpers/canaries.ts";
import { eventually } from "../helpers/eventually.ts";
import { launcher } from "../helpers/program.ts";
import { ask, filesBelow } from "../helpers/real-proxy.ts";
import { beginStory, isSecretFile, keepFiles, opaque } from "../helpers/secret-story.ts";
import type { Story } from "../helpers/secret-story.ts";
import { openTerminal } from "../helpers/terminal.ts";
import type { Terminal } from "../helpers/terminal.ts";

const passphrase = "correct horse battery staple";

/** A program in `home/bin` that notes what it is given: arguments, standard input where `reads`, environment. */
const notingProgram = (home: string, name: string, reads = false): { readonly path: string; readonly noted: string } => {
  const [path, noted] = [join(home, "bin", name), join(home, `${name}-was-given`)];
  mkdirSync(join(home, "bin"), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n{ echo "$@"; ${reads ? "cat; echo; " : ""}env; } > ${noted}.new && mv ${noted}.new ${noted}\n`, { mode: 0o755 });
  return { path, noted };
};

const linkIn = (terminal: Terminal): string => terminal.everything().split("\n").find((line) => /^http:\/\/127\.0\.0\.1:\d+\/oauth\/authorize\?/.test(line)) ?? "";

const open = ({ proxy }: Story, env: Readonly<Record<string, string>>): Terminal =>
  openTerminal({ cols: 120, rows: 30, home: proxy.home, env: { ...proxy.env, ...env }, args: [launcher, "--log-level", "debug", "--log-file", "log.txt", "--record", "events.ndjson"] });

const signIn = async ({ proxy, canaries, sinks }: Story, terminal: Terminal): Promise<void> => {
  await terminal.waitFor("press y");
  terminal.write("y");
  await terminal.waitFor("Paste code >");
  const link = linkIn(terminal);
  const [code = "", state = ""] = (await proxy.upstream.approve(link)).split("#");
  canaries.add("code", code);
  canaries.add("state", state);
  canaries.add("wrong code", opaque("wrong code"));
  terminal.paste(`${canaries.get("wrong code")}#${opaque("wrong state")}`);
  await terminal.waitFor("belongs to another");
  terminal.paste(`${code}#${state}\r`);
  await terminal.waitFor(() => terminal.alternate(), { what: "the dashboard" });
  // The link was shown, with the state in it, and a code without its verifier is of no use to anybody.
  sinks.set("sign-in, without its link", terminal.everything().replaceAll(link, ""));
};

/** A request whose refusal quotes everything; then every pane, every detail, and whatever can be copied. */
const lookAround = async ({ proxy, canaries, sinks }: Story, terminal: Terminal): Promise<void> => {
  const sent = (): string => /Bearer (\S+)/.exec(proxy.upstream.requests.findLast(({ target }) => target.startsWith("/v1/messages"))?.rawHeaders.join(" ") ?? "")?.[1] ?? "";
  const question = { body: { messages: [{ role: "user", content: canaries.add("prompt", opaque("prompt")) }] } };
  const key = canaries.add("local key", proxy.key());
  expect((await ask({ url: proxy.url, key }, question)).status).toBe(200);
  canaries.add("access token", sent());
  proxy.upstream.script({ match: { path: "/v1/messages" }, fault: { kind: "status", status: 403, message: `rejected ${sent()} of ada@example.com` } });
  expect((await ask({ url: proxy.url, key }, question)).status).toBe(403);
  const seen: string[] = [];
  const press = async (keys: string, expected: string | RegExp): Promise<void> => {
    terminal.write(keys);
    await terminal.waitFor(expected);
    seen.push(terminal.screen());
  };
  await terminal.waitFor("rejected ***");
  // Each key must show before the next is sent: two that arrive in one piece are a paste.
  await press("j", "ROW 2/2");
  await press("g", "FOLLOW 2");
  await press("\r", /said +rejected \*\*\*/);
  await press("x", "curl:");
  await press("\u001b", /TIME +ST/);
  await press("2", "[2 sessions]");
  await press("3", "[3 accounts]");
  await press("\r", /token +token ok/);
  await press("\u001b", /ACCOUNT +KIND/);
  await press("4", "[4 events]");
  await press("\r", "request.finished");
  await press("\u001b", /TIME +WHAT/);
  await press("c", "set-up lines:");
  sinks.set("panes", seen.join("\n"));
};

const addKey = async ({ proxy, canaries }: Story, terminal: Terminal): Promise<void> => {
  terminal.write("3");
  await terminal.waitFor("[3 accounts]");
  terminal.write("y");
  await terminal.waitFor("API key (Esc: none)");
  terminal.write(canaries.add("API key", proxy.upstream.issueApiKey().reveal()));
  await terminal.waitFor(/\*{40}/);
  terminal.write("\r");
  await terminal.waitFor(/api-key +key/);
};

it("a terminal sees no secret but the link: passphrase, sign-in, refusals that quote, all panes, copies (S13, S14)", async () => {
  const story = await beginStory({ CLAUDE_OAUTH_PROXY_STORAGE__ENCRYPTION: "passphrase" });
  const { proxy, canaries, sinks } = story;
  canaries.add("passphrase", passphrase);
  const terminal = open(story, {});
  await terminal.waitFor("Passphrase of the account store");
  terminal.write(passphrase);
  terminal.write("\r");
  await signIn(story, terminal);
  await lookAround(story, terminal);
  await addKey(story, terminal);
  terminal.write("q");
  expect(await terminal.waitForExit()).toBe(0);
  sinks.set("all bytes", terminal.bytes()).set("scrollback", terminal.everything());
  // What is copied goes through the terminal as base64, and a canary is found in that form too.
  expect(terminal.bytes()).toContain("\u001b]52;c;");
  keepFiles(story);
  expect(sinks.get("file log.txt")).toContain("rejected ***");
  expect(leaksIn(sinks, canaries, { "all bytes": ["state"], scrollback: ["state"] })).toEqual([]);
  const sealed = filesBelow(proxy.home).filter(isSecretFile);
  expect(sealed.filter(({ path, text }) => canaries.found(text, path.endsWith("/key") ? ["local key"] : []).length > 0)).toEqual([]);
});

const shortLink = /^http:\/\/localhost:\d+\/login\/[\w-]{11,}$/;
const longLink = /^http:\/\/127\.0\.0\.1:\d+\/oauth\/authorize\?\S+$/;

it("a browser that is opened and a clipboard tool are given the link and nothing else (S13)", async () => {
  const password = opaque("password of the outbound proxy");
  const story = await beginStory({ CLAUDE_OAUTH_PROXY_STORAGE__ENCRYPTION: "passphrase", CLAUDE_OAUTH_PROXY_TERMS__ACCEPTED: "true" });
  const { proxy, canaries } = story;
  canaries.add("passphrase", passphrase);
  canaries.add("password", password);
  const browser = notingProgram(proxy.home, "browser");
  const clipboard = notingProgram(proxy.home, "xclip", true);
  const terminal = open(story, {
    CLAUDE_OAUTH_PROXY_PASSPHRASE: passphrase,
    CLAUDE_OAUTH_PROXY_UPSTREAM__PROXY: `http://me:${password}@127.0.0.1:9`,
    DISPLAY: ":99",
    BROWSER: browser.path,
    PATH: `${join(proxy.home, "bin")}:${process.env["PATH"] ?? ""}`,
    // No desktop of this machine may be asked for its own browser.
    XDG_DATA_DIRS: join(proxy.home, "nothing"),
  });
  await terminal.waitFor("Paste code >");
  await eventually(() => existsSync(browser.noted), Boolean, { what: "the browser" });
  terminal.write("c");
  await eventually(() => existsSync(clipboard.noted), Boolean, { what: "the clipboard tool" });
  canaries.add("local key", proxy.key());
  const [opened, copied] = [readFileSync(browser.noted, "utf8"), readFileSync(clipboard.noted, "utf8")];
  expect([opened.split("\n")[0], copied.split("\n")[1]]).toEqual([shortLink, longLink].map((pattern) => expect.stringMatching(pattern)));
  for (const given of [opened, copied]) expect(given).toContain("DISPLAY=:99");
  expect([...canaries.found(opened), ...canaries.found(copied)]).toEqual([]);
});
