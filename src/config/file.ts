// The preferences in `<dir>/config.json`: the only file that knows the package `conf`. Preferences only,
// never a secret. A file that cannot be read stays as it is; only an explicit `set` moves it aside.
import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import type ConfOf from "conf";
import { isObject, parseJsonObject } from "../lib/json.ts";
import type { JsonObject } from "../lib/json.ts";
import { AppError } from "../messages/errors.ts";
import { splitKey } from "./schema.ts";
import type { SettingKey } from "./schema.ts";

export type PreferencesFile = {
  readonly path: string;
  /** The parsed file, null when there is none. Throws `AppError` `bad-config` for a torn file, `store-unreadable` when it may not be read. */
  read(): JsonObject | null;
  /** Writes one value (0600, in one step). Gives the path a torn file was moved to, else null. Rejects with `store-unwritable`. */
  set(key: SettingKey, value: unknown): Promise<string | null>;
  /** False when it was not there. Rejects as `read` throws and as `set` does. */
  unset(key: string): Promise<boolean>;
};

/** The preferences of the data folder `dir`; nothing is touched before the first call. `now` names what is moved aside. */
export const createPreferencesFile = (dir: string, now: () => number): PreferencesFile => {
  const path = join(dir, "config.json");
  return {
    path,
    read: () => readValues(path),
    async set(key, value) {
      const Conf = await loadConf();
      const torn = moveTornAside(path, now);
      writeValues(Conf, { dir, path }, withKey(readValues(path) ?? {}, key, value));
      return torn;
    },
    async unset(key) {
      const Conf = await loadConf();
      const values = readValues(path);
      if (values === null || !hasKey(values, key)) return false;
      writeValues(Conf, { dir, path }, withoutKey(values, key));
      return true;
    },
  };
};

const readValues = (path: string): JsonObject | null => {
  const text = readText(path);
  if (text === null) return null;
  const values = parseJsonObject(text);
  if (values !== null) return values;
  throw new AppError({
    code: "bad-config",
    message: `${path} is not a JSON object, so no setting can be read from it. It is left as it is.`,
    hint: "Repair or remove it; `claude-oauth-proxy config set KEY VALUE` moves it aside and begins a new one.",
  });
};

const readText = (path: string): string | null => {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new AppError({ code: "store-unreadable", message: `${path} cannot be read (${errorName(cause)}).`, hint: "Check who owns it and its mode, or choose another folder with --dir.", cause });
  }
};

const moveTornAside = (path: string, now: () => number): string | null => {
  const text = readText(path);
  if (text === null || parseJsonObject(text) !== null) return null;
  const aside = `${path}.torn-${new Date(now()).toISOString().replace(/[:.]/g, "-")}`;
  attempt(path, () => renameSync(path, aside));
  return aside;
};

// Loaded for a write only: it took a tenth of a second of every start (ajv and 130 files with it), and hardly any
// start writes. Loaded before anything is read, so that no other write comes between.
const loadConf = async (): Promise<typeof ConfOf> => (await import("conf")).default;

// conf writes beside and renames; the folder is made first, because conf would leave its mode to the umask.
const writeValues = (Conf: typeof ConfOf, { dir, path }: { readonly dir: string; readonly path: string }, values: JsonObject): void =>
  attempt(path, () => {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const conf = new Conf<Record<string, unknown>>({ cwd: dir, configName: "config", configFileMode: 0o600, accessPropertiesByDotNotation: false });
    conf.store = values;
  });

const attempt = (path: string, work: () => void): void => {
  try {
    work();
  } catch (cause) {
    throw new AppError({ code: "store-unwritable", message: `${path} cannot be written (${errorName(cause)}).`, hint: "Check the folder's owner, mode and free space, or choose another one with --dir.", cause });
  }
};

const errorName = (cause: unknown): string => (cause as NodeJS.ErrnoException).code ?? "unknown error";

// A key may be in its section or be written with a dot at the top; a write leaves one spelling, the first.
const hasKey = (values: JsonObject, key: string): boolean => {
  const [section, name] = splitKey(key);
  const inner = values[section];
  return Object.hasOwn(values, key) || (name !== undefined && isObject(inner) && Object.hasOwn(inner, name));
};

const withKey = (values: JsonObject, key: SettingKey, value: unknown): JsonObject => {
  const [section, name] = splitKey(key);
  if (name === undefined) return { ...values, [key]: value };
  const { [key]: _dotted, ...rest } = values;
  const inner = rest[section];
  return { ...rest, [section]: { ...(isObject(inner) ? inner : {}), [name]: value } };
};

const withoutKey = (values: JsonObject, key: string): JsonObject => {
  const { [key]: _dotted, ...rest } = values;
  const [section, name] = splitKey(key);
  const inner = rest[section];
  if (name === undefined || !isObject(inner)) return rest;
  const { [name]: _removed, ...others } = inner;
  const { [section]: _section, ...elsewhere } = rest;
  return Object.keys(others).length === 0 ? elsewhere : { ...elsewhere, [section]: others };
};
