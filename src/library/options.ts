// What the library takes from the process it runs in: folder, settings, passphrase. The same sources as the
// command line, so that a program and `claude-oauth-proxy` on one folder agree. Nothing is read before use.
import { homedir } from "node:os";
import type { CoreOptions } from "../app/core.ts";
import { readVersion } from "../app/version.ts";
import { createPreferencesFile } from "../config/file.ts";
import { loadConfig } from "../config/load.ts";
import type { SettingKey } from "../config/schema.ts";
import { secret } from "../lib/secret.ts";
import { AppError } from "../messages/errors.ts";
import { dataDir } from "../storage/paths.ts";

/** Where credentials are kept, and what differs from the settings. */
export type LibraryOptions = {
  /** The data folder; default as for the command line (`CLAUDE_OAUTH_PROXY_DIR`, else the platform's config folder). */
  readonly dir?: string | undefined;
  /** Beats environment and `config.json`; lists as arrays. */
  readonly settings?: { readonly [Key in SettingKey]?: string | number | boolean | readonly string[] | readonly number[] | object };
  /** Asked when the store is sealed and `CLAUDE_OAUTH_PROXY_PASSPHRASE` is not set. */
  readonly passphrase?: () => Promise<string | null>;
};

/** Everything the parts are opened with. Throws `AppError` `bad-config` with every mistake at once. */
export const coreOptionsFor = async ({ dir: wanted, settings = {}, passphrase }: LibraryOptions): Promise<CoreOptions> => {
  const { env, platform, cwd } = process;
  const surroundings = { platform, env, home: homedir(), cwd: cwd() };
  const dir = wanted === undefined ? dataDir(surroundings) : dataDir(surroundings, wanted);
  const file = createPreferencesFile({ dir, now: Date.now, uid: process.geteuid?.() ?? null, onNotice: () => {} });
  const set = Object.entries(settings).map(([key, value]) => `${key}=${textOf(value)}`);
  const loaded = loadConfig({ flags: [], set, environment: env, file: { path: file.path, values: file.read() ?? {} } });
  if (!loaded.ok) throw new AppError({ code: "bad-config", message: loaded.problems.join("; ") });
  return {
    config: loaded.config,
    encryptionIsGiven: loaded.originOf("storage.encryption").from !== "default",
    dir,
    version: await readVersion(),
    environment: env,
    process,
    async askPassphrase() {
      const text = (await passphrase?.()) ?? null;
      return text === null ? null : secret(text);
    },
  };
};

const textOf = (value: unknown): string => {
  if (Array.isArray(value)) return value.join(",");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
};

/** Every timer of the parts is unref'd: while a caller awaits one of them, the process has to stay. */
export const whileAwake = async <T>(work: () => Promise<T>): Promise<T> => {
  const awake = setInterval(() => {}, 2 ** 30);
  try {
    return await work();
  } finally {
    clearInterval(awake);
  }
};
