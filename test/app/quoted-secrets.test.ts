// Servers that quote what they were sent, in every field of an answer: no part of it is anywhere where the program tells
// what happened. Through a whole proxy.
import { createHash } from "node:crypto";
import { expect, it, onTestFinished } from "vitest";
import { createApp } from "../../src/app/create-app.ts";
import { createUpstream } from "../../src/demo/upstream.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { createRedact } from "../../src/lib/redact.ts";
import { secret } from "../../src/lib/secret.ts";
import { createJsonFormat, createTextFormat, formatRecord } from "../../src/log/format.ts";
import { createCanaries, leaksIn } from "../helpers/canaries.ts";
import type { Sinks } from "../helpers/canaries.ts";
import { storeGrants } from "../helpers/data-folder.ts";
import { settingsOf, startApp, temporaryFolder } from "../helpers/running-app.ts";
import type { RunningApp } from "../helpers/running-app.ts";
import { opaque } from "../helpers/secret-story.ts";
import { openRawUpstream } from "../proxy/raw-upstream.ts";

const json = "content-type: application/json";

const answer = (status: string, fields: readonly string[], body = "{}"): string =>
  [`HTTP/1.1 ${status}`, "connection: close", ...fields, `content-length: ${Buffer.byteLength(body)}`, "", body].join("\r\n");

const stream = (...events: readonly object[]): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("")}`;

/** Answers that hold `text` in one place each; the last one in the middle of a stream. */
const answersWith = (text: string): readonly string[] => {
  const message = { model: text, stop_reason: text, usage: { input_tokens: 1, output_tokens: 1 } };
  return [
    answer("200 OK", [`request-id: ${text}`, json]),
    answer("200 OK", [`content-type: text/${text}; charset=${text}`]),
    answer("200 OK", [json, `content-encoding: ${text}`]),
    answer("429 Slow down", [json, `retry-after: ${text}`], JSON.stringify({ error: { type: "rate_limit_error", message: "later" } })),
    answer("200 OK", [json, `anthropic-ratelimit-unified-5h-status: ${text}`, `anthropic-ratelimit-unified-${text.slice(0, 36)}-status: allowed`]),
    answer("200 OK", [json], JSON.stringify({ type: "message", ...message })),
    ...["message", "type"].map((member) => answer("400 Bad", [json], JSON.stringify({ type: "error", error: { type: "a", message: "b", [member]: `${"x".repeat(60)} ${text}` } }))),
    answer("400 Bad", [json], JSON.stringify({ error: text, error_description: text, error_uri: text, request_id: text })),
    answer("400 Bad", [json], JSON.stringify({ error: { type: Buffer.from(text).toString("base64"), message: Buffer.from(`x:${text}`).toString("base64") } })),
    stream({ type: "message_start", message }, { type: "error", error: { type: text, message: `no ${text}` } }),
  ];
};

/** One request, answered in whatever way. */
const ask = async ({ listening }: RunningApp, headers: Record<string, string>): Promise<void> => {
  const response = await fetch(`${listening.url}/v1/messages`, { method: "POST", body: "{}", headers });
  await response.text().catch(() => "");
};

/** Everything that tells what happened: events as they are read, recorded and logged, the state, the figures, the health. */
const sinksOf = async ({ app, listening, key, events }: RunningApp): Promise<Sinks> => {
  const redact = createRedact();
  const formats = { text: createTextFormat(redact), json: createJsonFormat(redact) };
  const read = async (path: string, headers: Record<string, string> = { "x-api-key": key }): Promise<string> => (await fetch(listening.url + path, { headers })).text();
  return new Map([
    ["events", events.map((event) => JSON.stringify(event)).join("\n")],
    ["record", events.map((event) => formatRecord(event, (line) => line)).join("\n")],
    ["log as text", events.map(formats.text).join("\n")],
    ["log as JSON", events.map(formats.json).join("\n")],
    ["state", JSON.stringify(app.store.snapshot())],
    ["status", await read("/api/status")],
    ["metrics", await read("/metrics")],
    ["health", await read("/health")],
    ["health without the key", await read("/health", {})],
  ]);
};

it("an upstream that quotes the token in any field of its answer puts no part of it into what is told", async () => {
  const canaries = createCanaries();
  const token = canaries.add("access token", opaque("access"));
  canaries.add("refresh token", opaque("refresh"));
  const simulated = await createUpstream({ clock: createSystemClock(), random: systemRandom });
  const answers = [...answersWith(token), ...answersWith(canaries.get("refresh token"))];
  const upstream = await openRawUpstream(({ socket }) => socket.end(answers.shift() ?? ""));
  onTestFinished(async () => void (await Promise.all([simulated.close(), upstream.close()])));
  const dir = temporaryFolder();
  const stored = { access_token: token, refresh_token: canaries.get("refresh token"), expires_at: "2099-01-01T00:00:00Z" };
  storeGrants(dir, { ada: { grant: simulated.issueTokens(), more: stored } });
  const running = await startApp({ dir, shared: simulated, set: [`upstream.baseUrl=${upstream.baseUrl}`] });
  canaries.add("local key", running.key);
  const count = answers.length;
  for (let turn = 0; turn < count; turn += 1) await ask(running, { authorization: `Bearer ${running.key}` });
  const finished = await sinksOf(running);
  expect(running.events.filter(({ type }) => type === "request.finished")).toHaveLength(count);
  expect(leaksIn(finished, canaries)).toEqual([]);
  expect(finished.get("status")).toContain("***");
  expect(finished.get("metrics")).toContain("***");
});

it("in pass-through mode the client's own login is not told either", async () => {
  const canaries = createCanaries();
  const login = canaries.add("client's login", opaque("login"));
  const answers = [...answersWith(login)];
  const upstream = await openRawUpstream(({ socket }) => socket.end(answers.shift() ?? ""));
  onTestFinished(() => upstream.close());
  const running = await startApp({ set: ["mode=pass-through", "auth.required=false", `upstream.baseUrl=${upstream.baseUrl}`] });
  const count = answers.length;
  for (let turn = 0; turn < count; turn += 1) await ask(running, turn % 2 === 0 ? { authorization: `Bearer ${login}` } : { "x-api-key": login });
  const events = running.events.map((event) => JSON.stringify(event)).join("\n");
  expect(events).toContain("***");
  expect(canaries.found(events + JSON.stringify(running.app.store.snapshot()))).toEqual([]);
});

it("a token endpoint that quotes the tokens it knows, sent or not, is heard without them", async () => {
  const canaries = createCanaries();
  const upstream = await createUpstream({ clock: createSystemClock(), random: systemRandom });
  onTestFinished(() => upstream.close());
  const dir = temporaryFolder();
  const stored = { access_token: canaries.add("access token", opaque("access")), refresh_token: canaries.add("refresh token", opaque("refresh")), expires_at: "2099-01-01T00:00:00Z" };
  storeGrants(dir, { ada: { grant: upstream.issueTokens(), more: stored } });
  const running = await startApp({ dir, shared: upstream });
  const quote = `no ${stored.refresh_token} for ${stored.access_token}, ${encodeURIComponent(stored.access_token)}`;
  upstream.script({ match: { grant: "refresh_token" }, fault: { kind: "status", status: 400, body: { error: "invalid_grant", error_description: quote } } });
  const response = await fetch(`${running.listening.url}/auth/refresh`, { method: "POST", body: "{}", headers: { "x-api-key": running.key, "content-type": "application/json" } });
  const sinks = (await sinksOf(running)).set("answer", await response.text());
  expect(response.status).toBe(502);
  expect(leaksIn(sinks, canaries)).toEqual([]);
  expect(sinks.get("status")).toContain("invalid_grant: no *** for ***");
});

it("whatever the process holds is known to it: keys, passphrase, the outbound proxy's password, what an open sign-in is made of", async () => {
  let draw = 0;
  const drawn: string[] = [];
  const random = (size: number): Uint8Array => {
    const bytes = createHash("sha512").update(`draw ${(draw += 1)}`).digest().subarray(0, size);
    drawn.push(bytes.toString("base64url"));
    return bytes;
  };
  const upstream = await createUpstream({ clock: createSystemClock(), random: systemRandom });
  onTestFinished(() => upstream.close());
  const [passphrase, password, apiKey] = ["correct horse battery", opaque("password"), opaque("api key")];
  const set = ["server.port=0", "storage.encryption=passphrase", `upstream.proxy=http://user:${password}@127.0.0.1:9`, ...Object.entries(upstream.settings()).map(([key, value]) => `${key}=${value}`)];
  const environment = { CLAUDE_OAUTH_PROXY_PASSPHRASE: passphrase };
  const options = { config: settingsOf(set), dir: temporaryFolder(), version: "0", environment, askPassphrase: async () => null, process, random, accountId: null };
  const app = await createApp(options);
  onTestFinished(() => app.commands.stop("test finished"));
  const told: string[] = [];
  app.bus.subscribe((event) => void (event.type === "notice" && told.push(event.message)));
  await app.commands.addApiKey({ key: secret(apiKey) });
  drawn.length = 0;
  const { authorizeUrl, attemptId } = await app.commands.startLogin({});
  const state = new URL(authorizeUrl).searchParams.get("state") ?? "";
  const code = opaque("code");
  upstream.script({ match: { grant: "authorization_code" }, fault: { kind: "status", status: 500 } });
  await app.commands.submitCode(secret(`${code}#${state}`), attemptId);
  const login = drawn.filter((text) => text.length === 86);
  const held = [app.key?.reveal() ?? "", passphrase, password, Buffer.from(`user:${password}`).toString("base64"), apiKey, state, code, ...login];
  for (const value of held) app.bus.publish({ type: "notice", level: "info", code: "x", message: `a ${value} b`, hint: null });
  expect(login).toContain(state);
  expect(login.length).toBeGreaterThan(1);
  expect(told.slice(-held.length)).toEqual(held.map((_, index) => (index === 3 ? expect.stringMatching(/^a \*\*\*.{0,3} b$/) : "a *** b")));
});
