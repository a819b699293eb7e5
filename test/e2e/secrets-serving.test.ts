// A running proxy through everything that can go wrong, with every log switched on and servers that quote
// secrets back. Afterwards no secret is anywhere but in the two files that are there for them.
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { EndpointFault, ReplyFault, DeliveryFault } from "../../src/demo/faults.ts";
import { leaksIn } from "../helpers/canaries.ts";
import { visit } from "../helpers/visit.ts";
import type { Program } from "../helpers/program.ts";
import { ask, filesBelow } from "../helpers/real-proxy.ts";
import type { Question, Stored } from "../helpers/real-proxy.ts";
import { beginStory, fillStore, isSecretFile, keepFiles, opaque, procOf, tokenPath } from "../helpers/secret-story.ts";
import type { Story } from "../helpers/secret-story.ts";

type Fault = EndpointFault | ReplyFault | DeliveryFault;
type Call = (path: string, init?: RequestInit) => Promise<Response>;

const startLogged = async ({ proxy }: Story): Promise<Program> => {
  const program = proxy.start(["--headless", "--log-level", "debug", "--log-format", "json", "--log-file", "proxy.log", "--record", "events.ndjson"]);
  await program.waitForEvent("server.listening");
  return program;
};

/** How a server quotes a credential that was sent to it: as it is, and as it would stand in an address. */
const quoting = (secret: string): string => `rejected ${secret} (token=${encodeURIComponent(secret)}) of ada@example.com`;

const asKeyHolder =
  ({ proxy }: Story): Call =>
  (path, init = {}) =>
    fetch(proxy.url + path, { ...init, headers: { authorization: `Bearer ${proxy.key()}`, "content-type": "application/json", ...init.headers } });

const post = (body: object): RequestInit => ({ method: "POST", body: JSON.stringify(body) });

/** A good request, with secrets in every place where a client has some. */
const askWell = async (story: Story): Promise<void> => {
  const { proxy, canaries } = story;
  proxy.upstream.script({ match: { path: "/v1/messages" }, fault: { kind: "answer", blocks: [{ type: "text", text: canaries.add("answer", opaque("answer")) }] } });
  const body = { messages: [{ role: "user", content: canaries.add("prompt", opaque("prompt")) }] };
  const token = canaries.add("client's own token", opaque("own token"));
  const cookie = canaries.add("client's own cookie", opaque("own cookie"));
  const headers = { authorization: `Bearer ${token}`, "x-api-key": proxy.key(), cookie: `session=${cookie}` };
  const { status, text } = await ask({ url: proxy.url, key: proxy.key() }, { body, headers, path: `/v1/messages?secret=${canaries.add("client's own query", opaque("own query"))}` });
  expect(status).toBe(200);
  expect(text).toContain(canaries.get("answer"));
};

type Failure = readonly [status: number, fault: Fault];

/** The upstream begins to answer, so the credential has to be a good one. */
const brokenAnswers = (message: string): readonly Failure[] => [
  [200, { kind: "stream-error", message }],
  [200, { kind: "reset", afterBytes: 300 }],
  [200, { kind: "truncated", afterBytes: 300 }],
];

const refusals = (message: string): readonly Failure[] => [
  [400, { kind: "status", status: 400, message }],
  [403, { kind: "status", status: 403, message }],
  [429, { kind: "status", status: 429, message, headers: [["retry-after", "1"]] }],
  [429, { kind: "plan-limit" }],
  [500, { kind: "status", status: 500, body: { error: message, error_description: message } }],
  [503, { kind: "cdn-html" }],
  [529, { kind: "status", status: 529, message }],
  [502, { kind: "refuse" }],
  [502, { kind: "garbage" }],
  [302, { kind: "redirect", location: "http://127.0.0.1:9/" }],
];

const credentialOf = ({ access_token: token, expires_at: end }: Stored): Record<string, string> => (end === null ? { "x-api-key": token } : { authorization: `Bearer ${token}` });

/** As many requests as there are accounts; each is answered with a fault that quotes the credential that came. */
const askBadly = async ({ proxy }: Story, accounts: readonly Stored[], failuresOf: (message: string) => readonly Failure[]): Promise<void> => {
  const question: Question = { body: { stream: true } };
  for (const [place, [status]] of failuresOf("").entries()) {
    for (const account of accounts) {
      const fault = failuresOf(quoting(account.access_token))[place]?.[1] ?? { kind: "overloaded" };
      proxy.upstream.script({ match: { path: "/v1/messages", headers: credentialOf(account) }, fault, times: accounts.length });
    }
    for (let turn = 0; turn < accounts.length; turn += 1) expect((await ask({ url: proxy.url, key: proxy.key() }, question)).status, `failure ${place}`).toBe(status);
    proxy.upstream.clearScript();
  }
};

/** 401 for each account, and its refresh fails with words about the very token that was sent. */
const askUnauthorized = async ({ proxy }: Story, call: Call): Promise<void> => {
  const accounts = Object.entries(proxy.stored());
  const enable = async (enabled: (id: string) => boolean): Promise<void> => {
    for (const [id] of accounts) expect((await call(`/api/accounts/${id}`, { method: "PATCH", body: JSON.stringify({ enabled: enabled(id) }) })).status).toBe(200);
  };
  for (const [id, account] of accounts) {
    await enable((other) => other === id);
    proxy.upstream.script({ match: { path: "/v1/messages", headers: credentialOf(account) }, fault: { kind: "status", status: 401, message: quoting(account.access_token) }, times: 9 });
    proxy.upstream.script({ match: { path: tokenPath }, fault: { kind: "status", status: 500, message: quoting(account.refresh_token ?? "") }, times: 9 });
    expect((await ask({ url: proxy.url, key: proxy.key() })).status, id).toBe(401);
    proxy.upstream.clearScript();
  }
  await enable(() => true);
};

const refreshBadly = async (story: Story, call: Call): Promise<void> => {
  const { proxy, sinks } = story;
  // After this no earlier failure of the other account waits to be tried again: it would be given the words about this one's token.
  expect((await call("/auth/refresh", post({ account_id: "claude" }))).status).toBe(200);
  story.noteTokens();
  const message = quoting(proxy.stored()["mux"]?.refresh_token ?? "");
  const faults: Record<string, Fault> = {
    "500": { kind: "status", status: 500, body: { type: "error", error: { type: "api_error", message } } },
    page: { kind: "recorded", status: 200, headers: [["content-type", "text/html"]], chunks: [{ bytes: `<html>${message}</html>` }] },
    nonsense: { kind: "recorded", status: 400, headers: [["content-type", "application/json"]], chunks: [{ bytes: `{"error":"${message}` }] },
    lost: { kind: "answer-lost" },
    "invalid_grant": { kind: "status", status: 400, body: { error: "invalid_grant", error_description: message } },
  };
  for (const [name, fault] of Object.entries(faults)) {
    const rule = proxy.upstream.script({ match: { path: tokenPath }, fault, times: 2 });
    sinks.set(`POST /auth/refresh, ${name}`, await (await call("/auth/refresh", post({ account_id: "mux" }))).text());
    rule.remove();
  }
  expect((await call("/auth/refresh", post({ account_id: "claude" }))).status).toBe(200);
  story.noteTokens();
};

/** Our own refusals, each given a secret to repeat. */
const beRefused = async ({ proxy, canaries, sinks }: Story, call: Call): Promise<void> => {
  const wrong = canaries.add("wrong key", opaque("wrong key"));
  const calls: Record<string, Promise<Response>> = {
    "wrong key": fetch(`${proxy.url}/v1/messages`, { method: "POST", headers: { authorization: `Bearer ${wrong}` } }),
    "wrong key at the page": fetch(`${proxy.url}/auth/device`, { method: "POST", headers: { "x-api-key": wrong } }),
    "unknown path": call(`/nope/${wrong}?token=${wrong}`),
    "sign-in at /v1": call(`/v1/oauth/x?token=${wrong}`),
    // The origin itself is told: a person has to know which page it was.
    "foreign origin": call(`/api/accounts?token=${wrong}`, { headers: { origin: "https://elsewhere.invalid" } }),
    "code of nobody": call("/auth/device/submit", post({ code: `${wrong}#${wrong}` })),
    "broken JSON": call("/auth/device/submit", { method: "POST", body: `{"code":"${wrong}` }),
    "wrong kind": call("/api/oauth/authorize", post({ oauth_type: wrong })),
    "wrong handle": call("/api/oauth/exchange", post({ code: `${wrong}#${wrong}`, verifier: wrong, provider_id: "x" })),
    "wrong account": call(`/api/accounts/${wrong}`, { method: "DELETE" }),
    "wrong refresh": call("/auth/refresh", post({ account_id: wrong })),
    "wrong logout": call("/auth/logout", post({ account_id: wrong })),
    "short key": call("/api/accounts", post({ api_key: wrong, id: wrong })),
    callback: fetch(`${proxy.url}/callback?code=${wrong}&state=${wrong}`),
    "callback with an error": fetch(`${proxy.url}/callback?error=access_denied&error_description=${wrong}&state=${wrong}`),
  };
  for (const [name, answer] of Object.entries(calls)) {
    const { status, headers } = await answer;
    expect(status, name).toBeGreaterThanOrEqual(400);
    sinks.set(`refusal: ${name}`, `${JSON.stringify([...headers])} ${await (await answer).text()}`);
  }
};

/** The one-time link: tried under a wrong Host, with wrong tokens, and opened. */
const openLink = async ({ canaries, sinks }: Story, call: Call): Promise<void> => {
  const { browser_url: link } = (await (await call("/auth/device/start", post({}))).json()) as { browser_url: string };
  canaries.add("one-time link", new URL(link).pathname);
  const under = link.replace("localhost", "127.0.0.1");
  sinks.set("the link under another name", (await visit(under, { host: "evil.example" })).text);
  const opened = await visit(under, { host: new URL(link).host });
  expect(opened.status).toBe(302);
  canaries.add("cookie of the sign-in", opened.cookie.split("=")[1] ?? "");
  sinks.set("the link in a second browser", (await visit(under, { host: new URL(link).host })).text);
  for (let tries = 0; tries < 10; tries += 1) await visit(new URL(`/login/wrong-${tries}`, under).href);
  sinks.set("the way back", (await visit(new URL("/callback?code=a&state=b", under).href, { cookie: opened.cookie, host: new URL(link).host })).text);
  sinks.set("GET /api/status while a sign-in is open", await (await call("/api/status")).text());
};

/** Sign-in over HTTP: neither the verifier nor what came back is in any answer. */
const signInOverHttp = async (story: Story, call: Call): Promise<void> => {
  const { proxy, sinks } = story;
  const started = (await (await call("/api/oauth/authorize", post({ oauth_type: "max" }))).json()) as { url: string; verifier: string; instructions: string };
  const code = await proxy.upstream.approve(started.url);
  sinks.set("POST /api/oauth/authorize", JSON.stringify({ ...started, url: "" }));
  sinks.set("POST /api/oauth/exchange", await (await call("/api/oauth/exchange", post({ code, verifier: started.verifier, provider_id: "claude" }))).text());
  story.noteExchange("sign-in over HTTP");
  story.noteTokens();
};

const readEverything = async (story: Story, call: Call): Promise<void> => {
  const { proxy, canaries, sinks } = story;
  const opened = await call("/auth/device", { method: "POST" });
  const cookie = opened.headers.get("set-cookie")?.split(";")[0] ?? "";
  canaries.add("session cookie", cookie.split("=")[1] ?? "");
  sinks.set("POST /auth/device", await opened.text());
  for (const path of ["/health", "/metrics", "/api/status", "/auth/status", "/api/accounts", "/api/oauth/tokens", "/auth/device", "/", "/api/hello", "/login", "/login/nothing"]) {
    const headers = [...(await call(path, { redirect: "manual" })).headers];
    sinks.set(`GET ${path} with the key`, `${JSON.stringify(headers)} ${await (await call(path, { redirect: "manual" })).text()}`);
    sinks.set(`GET ${path} without`, `. ${await (await fetch(proxy.url + path, { redirect: "manual" })).text()}`);
  }
  sinks.set("GET /auth/device with the cookie", await (await fetch(`${proxy.url}/auth/device`, { headers: { cookie } })).text());
  for (const words of ["status", "status --short", "status --json", "accounts list", "accounts list --json", "config list", "config list --json"]) story.keep(words, await proxy.run(words.split(" ")));
};

it("no secret leaves a proxy to which everything happens, whatever is asked of it and wherever it writes (S13, S14)", async () => {
  const story = await beginStory();
  const { proxy, canaries, sinks } = story;
  await fillStore(story);
  story.noteTokens();
  const program = await startLogged(story);
  const call = asKeyHolder(story);
  const events = (await call("/events")).text().catch(String);
  expect((await call("/api/accounts/mux", { method: "PATCH", body: '{"enabled":false}' })).status).toBe(200);
  await askWell(story);
  const { mux, ...others } = proxy.stored();
  const good = Object.values(others);
  await askBadly(story, good, brokenAnswers);
  expect((await call("/api/accounts/mux", { method: "PATCH", body: '{"enabled":true}' })).status).toBe(200);
  await askBadly(story, mux === undefined ? [] : [mux, ...good], refusals);
  await askUnauthorized(story, call);
  await beRefused(story, call);
  await openLink(story, call);
  await signInOverHttp(story, call);
  await refreshBadly(story, call);
  await readEverything(story, call);
  for (const path of procOf(program.pid)) sinks.set(path, readFileSync(path, "latin1"));
  program.kill();
  expect(await program.waitForExit()).toEqual({ code: 143, signal: null });
  sinks.set("GET /events", await events).set("stdout", program.stdout()).set("stderr", `. ${program.stderr()}`);
  keepFiles(story);
  expect(sinks.get("file .config/claude-oauth-proxy/history.json")).toContain("invalid_grant");
  expect(sinks.get("GET /events")).toContain("rejected ***");
  expect([...sinks].filter(([name, text]) => text === "" && !/std(?:out|err)$/.test(name))).toEqual([]);
  expect(leaksIn(sinks, canaries)).toEqual([]);
  onlyOursWentUp(story);
  await leavesNothing(story);
});

/** The upstream gets the credentials that are meant for it, and nothing that is between the client and us. */
const onlyOursWentUp = ({ proxy, canaries }: Story): void => {
  const { requests } = proxy.upstream;
  const between = ["local key", "session cookie", "client's own token", "client's own cookie", "wrong key"];
  const allowed = canaries.names().filter((name) => !between.includes(name));
  const whole = requests.map(({ target, rawHeaders, body }) => `${target} ${rawHeaders.join(" ")} ${body.toString()}`).join("\n");
  expect(canaries.found(whole, allowed)).toEqual([]);
  // A browser opens the authorize page, and the page sends it on; all other addresses are ours.
  const addresses = requests.filter(({ target }) => !target.startsWith("/oauth/")).map(({ target }) => target).join("\n");
  expect(canaries.found(addresses, ["client's own query"])).toEqual([]);
};

/** Signing out takes the credentials from the disk, backups included, whatever the server says to it. */
const leavesNothing = async (story: Story): Promise<void> => {
  const { proxy, canaries } = story;
  const message = quoting(proxy.stored()["mux"]?.refresh_token ?? "");
  proxy.upstream.script({ match: { path: `${tokenPath}/revoke` }, fault: { kind: "status", status: 500, body: { error: { type: "api_error", message } } } });
  for (const { path, mode } of filesBelow(proxy.home).filter(isSecretFile)) expect([path, mode.toString(8)]).toEqual([path, "600"]);
  expect((statSync(proxy.dir).mode & 0o777).toString(8)).toBe("700");
  const { code, out, err } = await proxy.run(["logout", "mux"]);
  expect([code, out, err.includes("did not take the credential back")]).toEqual([0, "", true]);
  expect(canaries.found(err)).toEqual([]);
  expect((await proxy.run(["logout", "--all"])).code).toBe(0);
  for (const { path, text } of filesBelow(proxy.home)) expect([path, canaries.found(text, path === join(".config/claude-oauth-proxy", "key") ? ["local key"] : [])]).toEqual([path, []]);
};
