// Commands that are given secrets in the wrong place, files that are torn, an outbound proxy with a password,
// a client with a login of its own, a crash: none of it repeats a secret.
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createCanaries, leaksIn } from "../helpers/canaries.ts";
import { temporaryFolder } from "../helpers/leftovers.ts";
import { startProgram } from "../helpers/program.ts";
import { ask, filesBelow } from "../helpers/real-proxy.ts";
import { beginStory, isSecretFile, keepFiles, opaque } from "../helpers/secret-story.ts";

const secretWords = (canary: string): readonly (readonly string[])[] => [
  [`--token=${canary}`],
  [`-t${canary}`],
  [`--${canary}`],
  [canary],
  ["accounts", canary],
  ["login", canary],
  ["login", `${canary}#${canary}`],
  ["login", "--account", canary],
  ["logout", canary],
  ["refresh", canary],
  ["accounts", "add-key", canary],
  ["accounts", "enable", canary],
  ["accounts", "rename", canary, canary],
  ["accounts", "priority", "claude", canary],
  ["env", "--shell", canary],
  ["completion", canary],
  ["status", canary],
  ["print-key", canary],
  ["config", "get", canary],
  ["config", "set", canary, canary],
  ["config", "set", "server.port", canary],
  ["config", "set", "upstream.proxy", `http://user:${canary}@proxy.invalid:8080`],
  ["--set", canary],
  ["--set", `${canary}=1`],
  ["--set", `mode=${canary}`],
  ["--set", `upstream.proxy=ftp://user:${canary}@proxy.invalid`],
  ["--set", `upstream.baseUrl=http://user:${canary}@proxy.invalid`],
  ["--log-level", canary],
  ["--port", canary],
  ["--mode", canary],
];

describe("a secret in the wrong place of a command line", () => {
  it("is refused without being repeated, and a stack does not repeat it either", async () => {
    const canaries = createCanaries();
    const canary = canaries.add("secret", opaque("secret on the command line"));
    const home = temporaryFolder();
    const lines = secretWords(canary);
    const ends = await inBatches(lines, async (args) => {
      const program = startProgram({ args, home, env: { CLAUDE_OAUTH_PROXY_LOG__LEVEL: "debug" } });
      program.endInput();
      const { code } = await program.waitForExit({ within: 30_000 });
      return { line: args.map((word) => word.replaceAll(canary, "SECRET")).join(" "), code, said: program.stdout() + program.stderr() };
    });
    expect(ends.filter(({ code, said }) => code === 0 || said === "")).toEqual([]);
    expect(ends.filter(({ said }) => canaries.found(said).length > 0)).toEqual([]);
    expect(filesBelow(home).filter(({ text }) => canaries.found(text).length > 0)).toEqual([]);
  });
});

/** Three at once: more would only wait for each other. */
const inBatches = async <T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> => {
  const results: R[] = [];
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) results.push(await work(item));
  };
  await Promise.all([worker(), worker(), worker()]);
  return results;
};

it("a torn credentials file is kept aside and named, not quoted (D3, S14)", async () => {
  const story = await beginStory();
  const { proxy, canaries, sinks } = story;
  await proxy.login();
  story.noteTokens();
  const path = join(proxy.dir, "accounts.json");
  const torn = readFileSync(path, "utf8").slice(0, -40);
  writeFileSync(path, torn);
  for (const words of ["accounts list", "refresh"]) story.keep(words, await proxy.run(words.split(" "), { env: { CLAUDE_OAUTH_PROXY_LOG__LEVEL: "debug" } }));
  expect([...sinks.values()].join("")).toContain("accounts.json.");
  expect(filesBelow(proxy.dir).some(({ text, mode }) => text === torn && mode === 0o600)).toBe(true);
  writeFileSync(join(proxy.home, "torn.json"), torn);
  story.keep("import of a torn file", await proxy.run(["import", join(proxy.home, "torn.json")]));
  writeFileSync(join(proxy.home, "torn.json"), "imported");
  keepFiles(story);
  expect(filesBelow(proxy.home).filter(isSecretFile).filter(({ mode }) => mode !== 0o600)).toEqual([]);
  expect(leaksIn(sinks, canaries)).toEqual([]);
});

/** An outbound proxy that lets nobody through and repeats what it was told. */
const refusingHop = async (): Promise<{ readonly port: number; readonly heard: string[]; readonly server: Server }> => {
  const heard: string[] = [];
  const server = createServer();
  server.on("connect", (request, socket) => {
    heard.push(`${request.url} ${request.rawHeaders.join(" ")}`);
    const told = request.headers["proxy-authorization"] ?? "";
    socket.end(`HTTP/1.1 407 ${told}\r\nproxy-authenticate: Basic realm="${told}"\r\nx-told: ${told}\r\ncontent-length: ${told.length}\r\n\r\n${told}`);
  });
  await new Promise<void>((listening) => void server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close());
  const address = server.address();
  return { port: typeof address === "object" && address !== null ? address.port : 0, heard, server };
};

it("the password of an outbound proxy goes to that proxy alone, and no credential of ours goes there (F16, S13)", async () => {
  const { port, heard } = await refusingHop();
  const story = await beginStory();
  const { proxy, canaries, sinks } = story;
  await proxy.login();
  story.noteTokens();
  canaries.add("local key", proxy.key());
  const password = canaries.add("password", opaque("password of the outbound proxy"));
  canaries.add("user and password", Buffer.from(`me:${password}`).toString("base64"));
  const env = {
    CLAUDE_OAUTH_PROXY_UPSTREAM__PROXY: `http://me:${password}@127.0.0.1:${port}`,
    CLAUDE_OAUTH_PROXY_UPSTREAM__BASE_URL: "https://api.invalid",
    CLAUDE_OAUTH_PROXY_OAUTH__TOKEN_URL: "https://token.invalid/token",
  };
  const program = proxy.start(["--headless", "--log-level", "debug", "--log-file", "proxy.log", "--record", "events.ndjson"], env);
  await program.waitForLine("listening on");
  const answer = await ask({ url: proxy.url, key: proxy.key() });
  sinks.set("502", `${answer.text} ${JSON.stringify([...answer.headers])}`);
  expect(answer.status).toBe(502);
  for (const words of ["refresh", "config list", "config get upstream.proxy"]) story.keep(words, await proxy.run(words.split(" "), { env }));
  sinks.set("GET /api/status", await (await fetch(`${proxy.url}/api/status`, { headers: { "x-api-key": proxy.key() } })).text());
  program.kill();
  await program.waitForExit();
  sinks.set("stdout", program.stdout()).set("stderr", `. ${program.stderr()}`);
  keepFiles(story);
  expect(sinks.get("refresh: stderr")).toContain("407");
  expect(leaksIn(sinks, canaries)).toEqual([]);
  expect(heard.length).toBeGreaterThanOrEqual(2);
  expect(canaries.found(heard.join("\n"), ["password", "user and password"])).toEqual([]);
});

it("the command of `run` gets the local key and nothing else, and no process shows a secret in its arguments (S13)", async () => {
  const story = await beginStory({ CLAUDE_OAUTH_PROXY_STORAGE__ENCRYPTION: "passphrase" });
  const { proxy, canaries, sinks } = story;
  const passphrase = canaries.add("passphrase", "correct horse battery staple");
  const password = canaries.add("password", opaque("password of the outbound proxy"));
  const env = { CLAUDE_OAUTH_PROXY_PASSPHRASE: passphrase, CLAUDE_OAUTH_PROXY_UPSTREAM__PROXY: `http://me:${password}@127.0.0.1:9` };
  const key = proxy.upstream.issueApiKey().reveal();
  canaries.add("API key", key);
  story.keep("add-key", await proxy.run(["accounts", "add-key"], { input: `${key}\n`, env }));
  canaries.add("local key", proxy.key());
  const look = "tr '\\0' '\\n' < /proc/self/environ; tr '\\0' ' ' < /proc/self/cmdline; tr '\\0' ' ' < /proc/$PPID/cmdline";
  const { code, out, err } = story.keep("run", await proxy.run(["run", "--", "sh", "-c", look], { env }));
  expect([code, err]).toEqual([0, ""]);
  expect(out).toContain(`ANTHROPIC_AUTH_TOKEN=${proxy.key()}`);
  expect(readFileSync(join(proxy.dir, "accounts.json"), "utf8")).toContain("sealed");
  keepFiles(story);
  expect(leaksIn(sinks, canaries, { "run: stdout": ["local key"] })).toEqual([]);
  expect(filesBelow(proxy.dir).filter(({ path, text }) => canaries.found(text, path === "key" ? ["local key"] : []).length > 0)).toEqual([]);
});

it("only `print-key` and `env` print the local key", async () => {
  const story = await beginStory();
  const { proxy, canaries } = story;
  const told = await proxy.run(["print-key"]);
  const key = canaries.add("local key", proxy.key());
  expect([told.out, told.err]).toEqual([`${key}\n`, ""]);
  expect((await proxy.run(["env"])).out).toContain(key);
  for (const words of ["status --json", "config list", "completion bash", "env --help"]) story.keep(words, await proxy.run(words.split(" ")));
  expect(leaksIn(story.sinks, canaries)).toEqual([]);
});

it("in pass-through mode the client's own login goes upstream and into no record of ours (S21)", async () => {
  const story = await beginStory({ CLAUDE_OAUTH_PROXY_MODE: "pass-through" });
  const { proxy, canaries, sinks } = story;
  const own = canaries.add("client's own token", opaque("own token"));
  const program = proxy.start(["--headless", "--log-level", "debug", "--log-file", "proxy.log", "--record", "events.ndjson"]);
  await program.waitForLine("listening on");
  const events = fetch(`${proxy.url}/events`).then((response) => response.text()).catch(String);
  proxy.upstream.script({ match: { path: "/v1/messages" }, fault: { kind: "status", status: 401, message: `no such token: ${own}` } });
  const { status, text } = await ask({ url: proxy.url, key: own });
  expect([status, text.includes(own)]).toEqual([401, true]);
  sinks.set("GET /api/status", await (await fetch(`${proxy.url}/api/status`)).text());
  program.kill();
  await program.waitForExit();
  sinks.set("stdout", program.stdout()).set("GET /events", await events);
  keepFiles(story);
  expect(program.stdout()).toContain("no such token: ***");
  expect(leaksIn(sinks, canaries)).toEqual([]);
});

/** A module that throws `message` where nobody catches, as soon as the proxy listens. */
const crashModule = (folder: string, message: string): string => {
  const path = join(folder, "crash.mjs");
  writeFileSync(join(folder, "message"), message);
  writeFileSync(
    path,
    `import { readFileSync } from "node:fs";
     import { Server } from "node:net";
     const { listen } = Server.prototype;
     Server.prototype.listen = function (...given) {
       setImmediate(() => { const text = readFileSync(${JSON.stringify(join(folder, "message"))}, "utf8"); throw new Error(text, { cause: new Error(text) }); });
       return listen.apply(this, given);
     };`,
  );
  return path;
};

describe("a crash", () => {
  it.each([[[]], [["--log-level", "debug"]]])("ends with 1, in words that hold no secret: %j (F13, S14)", async (args) => {
    const canaries = createCanaries();
    const upstream = { token: `sk-ant-oat01-${opaque("a")}${opaque("b")}`, key: `cop_${opaque("key")}`, code: `${opaque("code")}#${opaque("state")}`, bearer: opaque("bearer") };
    for (const [name, value] of Object.entries(upstream)) canaries.add(name, value);
    const { token, key, code, bearer } = upstream;
    const message = `bad ${token}, ${key}, ${code}, authorization: Bearer ${bearer}, {"refresh_token":"${bearer}"}, http://me:${bearer}@proxy.invalid/?code=${bearer}`;
    const program = startProgram({ args: ["--headless", "--port", "0", ...args], nodeArgs: ["--import", crashModule(temporaryFolder(), message)] });
    expect((await program.waitForExit()).code).toBe(1);
    expect(program.stderr()).toContain("this should not have happened: bad ***");
    expect(program.stderr().includes("caused by:")).toBe(args.length > 0);
    expect(leaksIn(new Map([["stdout", program.stdout()], ["stderr", program.stderr()]]), canaries)).toEqual([]);
  });

  it("a signal opens no debugger, through which anybody on this machine could read the memory (S15)", async () => {
    const program = startProgram({ args: ["--headless", "--port", "0"] });
    const { 0: url = "" } = /http:\S+/.exec(await program.waitForLine("listening on")) ?? [];
    program.kill("SIGUSR1");
    expect((await fetch(`${url}/api/hello`)).status).toBe(200);
    program.kill();
    expect((await program.waitForExit()).code).toBe(143);
    // Node says there where its debugger listens.
    expect(program.stderr()).toBe("");
  });
});
