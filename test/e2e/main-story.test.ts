// What a new user lives through without a screen, from the first start to the last: real processes, a real
// curl, a real bash, and an upstream whose tokens end in the middle.
import { execFile } from "node:child_process";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eventually } from "../helpers/eventually.ts";
import { cleanEnvironment, launcher } from "../helpers/program.ts";
import type { Program } from "../helpers/program.ts";
import { ask, filesBelow, hello, prepareProxy } from "../helpers/real-proxy.ts";
import type { RealProxy } from "../helpers/real-proxy.ts";

type Said = { readonly code: number; readonly out: string; readonly err: string };

/** Any program of the system, in the story's environment. */
const tool = ({ home, env }: RealProxy, command: string, args: readonly string[]): Promise<Said> =>
  new Promise((resolve) => {
    const options = { cwd: home, env: cleanEnvironment(home, env), timeout: 30_000 };
    execFile(command, args, options, (error, out, err) => resolve({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, out, err }));
  });

const begin = async (): Promise<{ readonly proxy: RealProxy; readonly running: Program }> => {
  const proxy = await prepareProxy();
  const running = proxy.start();
  const line = await running.waitForLine("no account can serve yet");
  expect(line).toMatch(/`claude-oauth-proxy login` or at http:\/\/127\.0\.0\.1:\d+\/auth\/device/);
  const refused = await ask({ url: proxy.url, key: proxy.key() });
  expect([refused.status, refused.headers.get("x-claude-oauth-proxy-error")]).toEqual([503, "sign-in-needed"]);
  return { proxy, running };
};

const health = async ({ url }: RealProxy): Promise<{ readonly status: string; readonly accounts: readonly { readonly id: string; readonly expires_at: string }[] }> =>
  (await (await fetch(`${url}/health`)).json()) as never;

/** Signs in with a second process; the first one notices by itself. */
const signIn = async (proxy: RealProxy): Promise<void> => {
  const { code, out, err } = await proxy.login();
  expect([code, out]).toEqual([0, ""]);
  expect(err).toContain("signed in: account claude");
  await eventually(() => health(proxy), ({ status }) => status === "ok", { what: "the running proxy to find the account" });
};

const curl = (proxy: RealProxy, body: object): Promise<Said> =>
  tool(proxy, "curl", ["-sN", "--fail-with-body", "-H", `x-api-key: ${proxy.key()}`, "-H", "content-type: application/json", "-d", JSON.stringify({ ...hello, ...body }), `${proxy.url}/v1/messages`]);

const lastEvent = (stream: string): string | undefined => stream.trim().split("\n").findLast((line) => line.startsWith("event: "));

describe("a new user without a screen", () => {
  it("starts, signs in beside it, streams, outlives the token, and stops with a stream open", async () => {
    const { proxy, running } = await begin();
    const { upstream } = proxy;
    await signIn(proxy);
    const first = await curl(proxy, { stream: true });
    expect([first.code, lastEvent(first.out)]).toEqual([0, "event: message_stop"]);

    // A slow stream is under way while the tokens end.
    upstream.script({ match: { path: "/v1/messages" }, fault: { kind: "slow", bytes: 200, delayMs: 60 } });
    const slow = curl(proxy, { stream: true });
    await upstream.waitFor(({ openStreams }) => openStreams() === 1);
    const before = proxy.stored()["claude"];
    upstream.expireAccessTokens();
    const answers = await Promise.all([1, 2, 3].map(() => ask({ url: proxy.url, key: proxy.key() })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(upstream.tokenCalls()).toEqual({ authorization_code: 1, refresh_token: 1, other: 0 });
    expect(proxy.stored()["claude"]?.refresh_token).not.toBe(before?.refresh_token);
    expect(lastEvent((await slow).out)).toBe("event: message_stop");
    expect((await ask({ url: proxy.url, key: proxy.key() })).status).toBe(200);
    expect(upstream.tokenCalls().refresh_token).toBe(1);

    upstream.script({ match: { path: "/v1/messages" }, fault: { kind: "slow", bytes: 200, delayMs: 100 } });
    const open = curl(proxy, { stream: true });
    await upstream.waitFor(({ openStreams }) => openStreams() === 1);
    running.kill("SIGTERM");
    expect(await running.waitForExit()).toEqual({ code: 143, signal: null });
    expect([(await open).code, lastEvent((await open).out)]).toEqual([0, "event: message_stop"]);
    expect(running.stderr()).toBe("");
    expect((statSync(proxy.dir).mode & 0o777).toString(8)).toBe("700");
    expect(filesBelow(proxy.dir).map(({ path, mode }) => [path, mode.toString(8)])).toContainEqual(["accounts.json", "600"]);
    expect(filesBelow(proxy.dir).filter(({ mode }) => mode !== 0o600)).toEqual([]);
  });

  it("asks how things are, refreshes by hand, and hands the proxy to a shell and to a command", async () => {
    const { proxy } = await begin();
    await signIn(proxy);
    const [long, short, json] = await Promise.all([proxy.run(["status"]), proxy.run(["status", "--short"]), proxy.run(["status", "--json"])]);
    expect(long.out).toContain(`running at ${proxy.url} (oauth`);
    expect(short.out).toMatch(new RegExp(`^up :${proxy.port} \\| 0 open \\| claude \\dh\\d\\dm\\n$`));
    expect(short.out.length).toBeLessThanOrEqual(60);
    expect(JSON.parse(json.out)).toMatchObject({ running: true, url: proxy.url, status: "ok", accounts: [{ id: "claude", health: "healthy" }] });

    const refreshed = await proxy.run(["refresh"]);
    expect([refreshed.code, refreshed.err]).toEqual([0, expect.stringContaining("refreshed, valid until")]);
    await eventually(() => health(proxy), ({ accounts }) => accounts[0]?.expires_at === proxy.stored()["claude"]?.expires_at, { what: "the running proxy to take the new token" });
    expect((await ask({ url: proxy.url, key: proxy.key() })).status).toBe(200);
    expect(proxy.upstream.tokenCalls().refresh_token).toBe(1);

    const asking = `curl -s -o answer -w '%{http_code}' -H "authorization: Bearer $ANTHROPIC_AUTH_TOKEN" -H 'content-type: application/json' -d "$1"`;
    const shell = `eval "$(node "$0" env --shell bash)" && ${asking} "$ANTHROPIC_BASE_URL/v1/messages"`;
    expect(await tool(proxy, "bash", ["--norc", "-euc", shell, launcher, JSON.stringify(hello)])).toEqual({ code: 0, out: "200", err: "" });
    const ran = await proxy.run(["run", "--", "sh", "-c", 'printf %s "$ANTHROPIC_BASE_URL $1"; exit 7', "sh", "two words; $HOME"]);
    expect(ran).toEqual({ code: 7, out: `${proxy.url} two words; $HOME`, err: "" });
    // A signal goes on to the command once: a second one means "at once" to most programs.
    const onFirst = "setTimeout(() => { console.log(count); process.exit(5); }, 400)";
    const counting = `let count = 0; process.on("SIGTERM", () => { count += 1; if (count === 1) ${onFirst}; }); console.log("ready"); setInterval(() => {}, 1000);`;
    const told = proxy.start(["run", "--", "node", "-e", counting]);
    await told.waitForLine("ready");
    told.kill("SIGTERM");
    expect([await told.waitForExit(), told.stdout()]).toEqual([{ code: 5, signal: null }, "ready\n1\n"]);
  });

  it("brings its accounts along, lists them, and signs out", async () => {
    const { proxy } = await begin();
    const { accessToken, refreshToken } = proxy.upstream.issueTokens({ account: "grace" });
    const file = join(proxy.home, "oauth_tokens.json");
    const entry = { provider_id: "claude-max", access_token: accessToken.reveal(), refresh_token: refreshToken?.reveal(), expires_at: "2099-01-01T00:00:00Z", enterprise_url: null };
    writeFileSync(file, JSON.stringify({ "claude-max": entry }));
    const imported = await proxy.run(["import", file]);
    expect([imported.code, imported.err]).toEqual([0, expect.stringContaining("imported claude-max")]);
    const again = await proxy.run(["import", file]);
    expect([again.code, Object.keys(proxy.stored())]).toEqual([1, ["claude-max"]]);
    await eventually(() => health(proxy), ({ status }) => status === "ok", { what: "the running proxy to find the account" });
    expect((await ask({ url: proxy.url, key: proxy.key() })).status).toBe(200);
    expect(proxy.upstream.requests.at(-1)?.account).toBe("grace");

    const { out } = await proxy.run(["accounts", "list", "--json"]);
    expect(JSON.parse(out)).toEqual([expect.objectContaining({ id: "claude-max", kind: "oauth", health: "healthy", enabled: true })]);
    const gone = await proxy.run(["logout"]);
    expect([gone.code, gone.out, gone.err]).toEqual([0, "", "signed out: claude-max\n"]);
    await eventually(() => health(proxy), ({ status }) => status === "sign-in-needed", { what: "the running proxy to forget the account" });
    expect((await ask({ url: proxy.url, key: proxy.key() })).status).toBe(503);
    expect(proxy.stored()).toEqual({});
    const ended = await fetch(`${proxy.upstream.baseUrl}/v1/models`, { headers: { authorization: `Bearer ${accessToken.reveal()}`, "anthropic-beta": "oauth-2025-04-20" } });
    expect(ended.status).toBe(401);
  });
});
