// The whole command on a real folder with the real proxy behind it.
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { connectTo } from "../../src/cli/connection.ts";
import { createApp } from "../../src/app/create-app.ts";
import { doctor, readSettings } from "../../src/doctor/doctor.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { systemFiles } from "../../src/storage/files.ts";
import { createProxyFile } from "../../src/storage/proxy-file.ts";
import { fakeContext } from "../cli/fake-context.ts";
import { forged, health, proxyAnswers } from "../cli/fake-proxy.ts";
import { realProcesses } from "../storage/kit.ts";

const key = "cop_the-local-key-of-this-test-0123456789";
const store = JSON.stringify({
  version: 1,
  accounts: { claude: { kind: "oauth", label: "me@example.org", access_token: "sk-ant-oat01-canary", refresh_token: "sk-ant-ort01-canary", expires_at: "2099-01-01T00:00:00Z", enabled: true } },
});

type Options = { readonly environment?: Record<string, string>; readonly set?: readonly string[]; readonly json?: boolean; readonly hasKey?: boolean; readonly proxyUrl?: string };

const examine = async ({ environment = {}, set = [], json = false, hasKey = true, proxyUrl }: Options) => {
  const context = fakeContext({ connect: connectTo, environment: { LANG: "C.UTF-8", TERM: "xterm", ...environment }, parts: { createApp: (wish) => createApp({ ...wish, process }) } });
  mkdirSync(context.dir, { recursive: true, mode: 0o700 });
  writeFileSync(join(context.dir, "accounts.json"), store, { mode: 0o600 });
  if (hasKey) writeFileSync(join(context.dir, "key"), key, { mode: 0o600 });
  const file = { dir: context.dir, clock: createSystemClock(), random: systemRandom, files: systemFiles, processes: realProcesses, uid: realProcesses.uid, onNotice: () => {} };
  if (proxyUrl !== undefined) await createProxyFile(file).add({ url: proxyUrl, version: "0.1.0", forOneCommand: false });
  const state = () => readdirSync(context.dir).map((name) => `${name} ${statSync(join(context.dir, name)).mode} ${statSync(join(context.dir, name)).mtimeMs}`);
  const before = state();
  const args = { positionals: [], options: { json }, settings: [], global: { dir: context.dir, set: ["server.port=0", ...set], ascii: false } };
  const code = await doctor({ ...context, clock: createSystemClock() }, args);
  expect(state()).toEqual(before);
  return { code, out: context.said.out(), words: context.said.out().replace(/\s+/g, " ") };
};

/** An address that counts who connects. */
const counted = async (): Promise<{ readonly url: string; readonly calls: () => number }> => {
  let calls = 0;
  const server = createServer((socket) => {
    calls += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls: () => calls };
};

describe("doctor", () => {
  it("a healthy machine exits 0, with every line within 80 columns", async () => {
    const { code, out } = await examine({});
    expect(out).toContain("No problem found");
    expect(code).toBe(0);
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(out).toContain("account claude");
  });

  it("--json has checks and proofs, and no secret or address even of a bad environment", async () => {
    const environment = { ANTHROPIC_API_KEY: "sk-ant-api03-canary", ANTHROPIC_AUTH_TOKEN: "canary", HTTPS_PROXY: "http://me:canary@p:1", NODE_TLS_REJECT_UNAUTHORIZED: "0" };
    const { code, out } = await examine({ json: true, environment });
    const report = JSON.parse(out) as { ok: boolean; checks: { name: string; status: string }[]; proofs: { status: string }[] };
    expect(code).toBe(1);
    expect(report.ok).toBe(false);
    expect(report.checks.filter(({ status }) => status === "problem").map(({ name }) => name)).toEqual(["tls checks"]);
    expect(report.proofs.every(({ status }) => status === "ok")).toBe(true);
    expect(out).not.toMatch(/canary|cop_|example\.org/);
  });

  it("calls neither the configured upstream nor the token endpoint", async () => {
    const { url, calls } = await counted();
    const { code } = await examine({ set: [`upstream.baseUrl=${url}`, `oauth.tokenUrl=${url}/token`] });
    expect([code, calls()]).toEqual([0, 0]);
  });

  it("shows its key to nothing that has not proved itself, and has none that could be guessed where there is none yet (S3)", async () => {
    const impostor = await forged();
    const stranger = await examine({ set: [`server.port=${impostor.port}`] });
    expect([stranger.code, impostor.seen.length, impostor.seen.join().includes(key)]).toEqual([1, 1, false]);
    expect(stranger.words).toContain("something else answers on this port");
    const guessing = await proxyAnswers({ key: "none" });
    expect((await examine({ hasKey: false, set: [`server.port=${guessing.port}`] })).words).toContain("something else answers on this port");
  });

  it("looks at the configured port although a proxy of ours runs on another one (S3)", async () => {
    const [ours, impostor] = [await proxyAnswers({ key, health: { ...health, mode: "pass-through" } }), await forged()];
    const { words } = await examine({ set: [`server.port=${impostor.port}`], proxyUrl: `http://127.0.0.1:${ours.port}` });
    expect(words).toContain(`process ${process.pid} at http://127.0.0.1:${ours.port}`);
    expect(words).toContain("something else answers on this port");
    expect(words).toContain("pass-through mode: the client keeps its own login");
  });

  it("runs with settings that are wrong, and says so", async () => {
    const { code, out } = await examine({ set: ["no.such=1"], json: true });
    expect(code).toBe(1);
    expect(out).toContain("no.such");
  });
});

const read = (file: string | null, environment: Record<string, string> = {}, set: readonly string[] = []) => {
  const context = fakeContext({ environment });
  mkdirSync(context.dir, { recursive: true });
  if (file !== null) writeFileSync(join(context.dir, "config.json"), file);
  return readSettings(context, { positionals: [], options: {}, settings: [], global: { dir: context.dir, set, ascii: false } });
};

describe("settings for a command that has to run in any case", () => {
  it("are used when they are good", () => {
    expect(read('{"server":{"port":5001}}')).toMatchObject({ exists: true, problems: [], config: { server: { port: 5001 } } });
    expect(read(null)).toMatchObject({ exists: false, problems: [], config: { server: { port: 4001 } } });
  });

  it("are one problem when the file is torn, and the environment still counts", () => {
    const settings = read("{ torn", { CLAUDE_OAUTH_PROXY_SERVER__PORT: "5002" });
    expect(settings).toMatchObject({ problems: [expect.stringContaining("not a JSON object")], config: { server: { port: 5002 } } });
  });

  it("fall back step by step when a value of the file, the environment or the command line is wrong", () => {
    expect(read('{"server":{"port":"x"}}', {}, ["server.drainSeconds=7"])).toMatchObject({ problems: [expect.stringContaining("server.port")], config: { server: { port: 4001, drainSeconds: 7 } } });
    const fromEnvironment = read(null, { CLAUDE_OAUTH_PROXY_SERVER__PORT: "x" }, ["server.drainSeconds=7"]);
    expect(fromEnvironment).toMatchObject({ problems: [expect.stringContaining("SERVER__PORT")], config: { server: { drainSeconds: 7 } } });
    expect(read(null, {}, ["no.such=1"])).toMatchObject({ problems: [expect.stringContaining("no.such")], config: { server: { port: 4001 } } });
  });
});
