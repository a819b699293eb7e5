// A data folder with accounts in it, and real proxy processes that share it before a simulated Anthropic
// in this process.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createUpstream } from "../../src/demo/upstream.ts";
import type { Upstream, UpstreamOptions } from "../../src/demo/upstream.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import type { TokenGrant } from "../../src/messages/tokens.ts";
import { closeLater, temporaryFolder } from "./leftovers.ts";
import { startProgram } from "./program.ts";
import type { Environment, Program } from "./program.ts";

/** The command line straight from the sources. */
export const commandLine = join(import.meta.dirname, "../cli/launch.ts");

type StoredAccount = {
  readonly access_token: string;
  readonly refresh_token: string | null;
  readonly expires_at: string | null;
  readonly last_error: string | null;
} & Readonly<Record<string, unknown>>;

export type DataFolder = {
  readonly dir: string;
  readonly upstream: Upstream;
  /** The accounts in the file as they stand there now. */
  accounts(): Readonly<Record<string, StoredAccount>>;
  /** The local key; there once a program has used the folder. */
  key(): string;
  /** A command, or with `--headless` a proxy, on this folder. */
  program(args: readonly string[], more?: Running): Program;
  proxy(more?: Running): Promise<Proxy>;
};

export type Running = { readonly set?: readonly string[]; readonly env?: Environment; readonly nodeArgs?: readonly string[]; readonly home?: string };

export type Proxy = Program & {
  readonly url: string;
  /** One message through this proxy; the status and the text of the answer. */
  ask(more?: Ask): Promise<Answered>;
};

type Ask = { readonly model?: string; readonly headers?: Readonly<Record<string, string>> };
export type Answered = { readonly status: number; readonly text: string };

/** `grants` become the accounts of the same names. */
export const createDataFolder = async (upstreamOptions: Partial<UpstreamOptions> = {}): Promise<DataFolder> => {
  const dir = join(temporaryFolder(), "data");
  mkdirSync(dir, { mode: 0o700 });
  const upstream = await createUpstream({ clock: createSystemClock(), random: systemRandom, ...upstreamOptions });
  closeLater(() => upstream.close());
  const key = (): string => readFileSync(join(dir, "key"), "utf8").trim();
  const program = (args: readonly string[], { set = [], env = {}, nodeArgs = [], home }: Running = {}): Program => {
    const settings = [...Object.entries(upstream.settings()).map(([name, value]) => `${name}=${value}`), ...set];
    return startProgram({
      script: commandLine,
      args: [...args, "--dir", dir, ...settings.flatMap((setting) => ["--set", setting])],
      env,
      nodeArgs,
      ...(home === undefined ? {} : { home }),
    });
  };
  return {
    dir,
    upstream,
    key,
    program,
    accounts: () => (JSON.parse(readFileSync(join(dir, "accounts.json"), "utf8")) as { accounts: Record<string, StoredAccount> }).accounts,
    async proxy(more) {
      const running = program(["--headless", "--port", "0", "--log-format", "json"], more);
      const { url } = await running.waitForEvent("server.listening", () => true, { within: 30_000 });
      return { ...running, url, ask: (options) => askMessage(url, key(), options) };
    },
  };
};

const askMessage = async (url: string, key: string, { model = "claude-sonnet-4-5", headers = {} }: Ask = {}): Promise<Answered> => {
  const body = JSON.stringify({ model, max_tokens: 16, messages: [{ role: "user", content: "Say something short." }] });
  const response = await fetch(`${url}/v1/messages`, { method: "POST", body, headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers } });
  return { status: response.status, text: await response.text() };
};

/** Writes `grants` into the folder as the accounts of those names; the expiry is the file's word, whatever the server thinks. */
export const storeGrants = (dir: string, grants: Readonly<Record<string, { readonly grant: TokenGrant; readonly expiresAt?: number; readonly more?: object }>>): void => {
  const accounts = Object.entries(grants).map(([id, { grant, expiresAt = grant.expiresAt, more = {} }]) => [id, { ...recordOf(id, grant, expiresAt), ...more }]);
  const path = join(dir, "accounts.json");
  writeFileSync(path, JSON.stringify({ version: 1, accounts: Object.fromEntries(accounts) }), { mode: 0o600 });
  chmodSync(path, 0o600);
};

const recordOf = (id: string, grant: TokenGrant, expiresAt: number | null): object => ({
  provider_id: id,
  kind: "oauth",
  label: id,
  access_token: grant.accessToken.reveal(),
  refresh_token: grant.refreshToken?.reveal() ?? null,
  expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  scopes: grant.scopes ?? [],
  organization: null,
  account: null,
  enabled: true,
  priority: 1,
  created_at: "2026-01-02T12:00:00.000Z",
  refreshed_at: null,
  last_error: null,
});
