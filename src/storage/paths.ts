// Where the data folder is and what its files are called. Pure: touches nothing.
import { posix, win32 } from "node:path";

/** What the choice of the folder depends on. */
export type Surroundings = {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home folder. */
  readonly home: string;
  readonly cwd: string;
};

const name = "claude-oauth-proxy";

/**
 * The data folder as an absolute path: `flag` (`--dir`), else `CLAUDE_OAUTH_PROXY_DIR`, else the
 * platform's config folder. A relative `XDG_CONFIG_HOME` is ignored (XDG Base Directory, "must be absolute").
 */
export const dataDir = (surroundings: Surroundings, flag?: string): string => {
  const { resolve } = surroundings.platform === "win32" ? win32 : posix;
  const wanted = flag ?? given(surroundings.env["CLAUDE_OAUTH_PROXY_DIR"]);
  return wanted === undefined ? platformDir(surroundings) : resolve(surroundings.cwd, wanted);
};

const given = (value: string | undefined): string | undefined => (value === "" ? undefined : value);

const platformDir = ({ platform, env, home }: Surroundings): string => {
  if (platform === "win32") return win32.join(given(env["APPDATA"]) ?? win32.join(home, "AppData", "Roaming"), name);
  if (platform === "darwin") return posix.join(home, "Library", "Application Support", name);
  const xdg = env["XDG_CONFIG_HOME"] ?? "";
  return posix.join(posix.isAbsolute(xdg) ? xdg : posix.join(home, ".config"), name);
};

/** Every file of the data folder, as absolute paths. */
export type DataFiles = {
  readonly config: string;
  readonly accounts: string;
  /** Equals `accounts` whenever it exists: it is removed before and rewritten after each write. */
  readonly backup: string;
  /** Says how `accounts` is sealed, so that a plain file in its place is seen; there only while it is sealed. */
  readonly seal: string;
  readonly key: string;
  /** Blocks of the disk for the next write of `accounts`. */
  readonly reserve: string;
  readonly history: string;
  /** Which proxies of this folder run; there only while one does. */
  readonly proxy: string;
  /** The sign-in link, while a person has asked for it as a file, and the page that leads a browser to it. */
  readonly link: string;
  readonly page: string;
  readonly locks: string;
};

export const dataFiles = (dir: string): DataFiles => {
  const { join } = win32.isAbsolute(dir) && !posix.isAbsolute(dir) ? win32 : posix;
  return {
    config: join(dir, "config.json"),
    accounts: join(dir, "accounts.json"),
    backup: join(dir, "accounts.json.bak"),
    seal: join(dir, "accounts.json.seal"),
    key: join(dir, "key"),
    reserve: join(dir, "accounts.json.reserve"),
    history: join(dir, "history.json"),
    proxy: join(dir, "proxy.json"),
    link: join(dir, "sign-in-link.txt"),
    page: join(dir, "sign-in.html"),
    locks: join(dir, "locks"),
  };
};
