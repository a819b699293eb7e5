// The built program before a simulated Anthropic: one home, one port, as many processes as a story needs.
// The upstream lives in the test, so that a story can see what arrived there and make it misbehave.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createUpstream } from "../../src/demo/upstream.ts";
import type { Upstream, UpstreamOptions } from "../../src/demo/upstream.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { closeLater, reservePort, temporaryFolder } from "./leftovers.ts";
import { startProgram } from "./program.ts";
import type { Environment, Program } from "./program.ts";

export type RealProxy = {
  readonly upstream: Upstream;
  readonly home: string;
  /** The data folder. */
  readonly dir: string;
  readonly port: number;
  readonly url: string;
  /** What every process of this story has in its environment. */
  readonly env: Environment;
  start(args?: readonly string[], env?: Environment): Program;
  /** Runs a command to its end; `input` goes to standard input. */
  run(args: readonly string[], more?: { readonly input?: string; readonly env?: Environment }): Promise<Ended>;
  /** Signs in as a person with a pipe would: reads the link, approves, writes the code; `meddle` comes just before that. */
  login(meddle?: (pasted: string) => void): Promise<Ended & { readonly pasted: string; readonly link: string }>;
  key(): string;
  /** The accounts as they stand in the file. */
  stored(): Readonly<Record<string, Stored>>;
};

export type Ended = { readonly code: number | null; readonly out: string; readonly err: string };

export type Stored = { readonly access_token: string; readonly refresh_token: string | null; readonly expires_at: string | null; readonly label: string };

/** Stopped and removed with the test. */
export const prepareProxy = async (options: Partial<UpstreamOptions> = {}, more: Environment = {}): Promise<RealProxy> => {
  const upstream = await createUpstream({ clock: createSystemClock(), random: systemRandom, ...options });
  closeLater(() => upstream.close());
  const home = temporaryFolder();
  const dir = join(home, ".config/claude-oauth-proxy");
  const port = await reservePort();
  const env = { ...settingsOf(upstream), CLAUDE_OAUTH_PROXY_SERVER__PORT: String(port), CLAUDE_OAUTH_PROXY_RETRY__MAX_RETRIES: "0", ...more };
  const start = (args: readonly string[] = [], extra: Environment = {}): Program => startProgram({ args, home, env: { ...env, ...extra } });
  return {
    upstream,
    home,
    dir,
    port,
    url: `http://127.0.0.1:${port}`,
    env,
    start,
    async run(args, { input, env: extra = {} } = {}) {
      const program = start(args, extra);
      if (input !== undefined) program.write(input);
      program.endInput();
      return endOf(program);
    },
    login: (meddle = () => {}) => login(start(["login"]), upstream, meddle),
    key: () => readFileSync(join(dir, "key"), "utf8").trim(),
    stored: () => (JSON.parse(readFileSync(join(dir, "accounts.json"), "utf8")) as { accounts: Record<string, Stored> }).accounts,
  };
};

const settingsOf = (upstream: Upstream): Record<string, string> =>
  Object.fromEntries(Object.entries(upstream.settings()).map(([key, value]) => [environmentName(key), value]));

const environmentName = (key: string): string =>
  `CLAUDE_OAUTH_PROXY_${key.split(".").map((part) => part.replace(/[A-Z]/g, "_$&").toUpperCase()).join("__")}`;

const login = async (program: Program, upstream: Upstream, meddle: (pasted: string) => void): Promise<Ended & { pasted: string; link: string }> => {
  const link = await program.waitForLine(/^http:\S+\/oauth\/authorize\?/);
  const pasted = await upstream.approve(link);
  meddle(pasted);
  program.write(`${pasted}\n`);
  return { ...(await endOf(program)), pasted, link };
};

const endOf = async (program: Program): Promise<Ended> => {
  const { code } = await program.waitForExit({ within: 30_000 });
  return { code, out: program.stdout(), err: program.stderr() };
};

export type Found = { readonly path: string; readonly text: string; readonly mode: number };

/** Every file below `folder`, by its path there. */
export const filesBelow = (folder: string): readonly Found[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: path.slice(folder.length + 1), text: readFileSync(path, "latin1"), mode: statSync(path).mode & 0o777 }));

export const hello = { model: "claude-opus-4-8", max_tokens: 64, messages: [{ role: "user", content: "hello" }] };

export type Asked = { readonly status: number; readonly text: string; readonly headers: Headers };

export type Question = { readonly body?: object; readonly headers?: Readonly<Record<string, string>>; readonly path?: string };

/** `POST /v1/messages` with the local key; a broken answer has status 0 and what came of it. */
export const ask = async ({ url, key }: { readonly url: string; readonly key: string }, { body = {}, headers = {}, path = "/v1/messages?beta=true" }: Question = {}): Promise<Asked> => {
  const response = await fetch(url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
    body: JSON.stringify({ ...hello, ...body }),
    redirect: "manual",
  });
  const text = await response.text().catch((error: unknown) => `broken off: ${String(error)}`);
  return { status: response.status, text, headers: response.headers };
};
