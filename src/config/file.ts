// The preferences in `<dir>/config.json`: the only file that knows the package `conf`. Preferences only,
// never a secret; but they decide where tokens are sent, so the folder and the file are looked at as
// those of the credentials before `conf` is let near. A file that cannot be read stays as it is; only an explicit
// `set` moves it aside.
import { isUtf8 } from "node:buffer";
import { renameSync } from "node:fs";
import type ConfOf from "conf";
import { isObject, parseJsonObject } from "../lib/json.ts";
import type { JsonObject } from "../lib/json.ts";
import { AppError } from "../messages/errors.ts";
import { systemFiles } from "../storage/files.ts";
import type { OnNotice } from "../storage/files.ts";
import { dataFiles } from "../storage/paths.ts";
import { readPrivate } from "../storage/private-file.ts";
import type { PrivateFileDeps } from "../storage/private-file.ts";
import { checkPrivateFolder, ensurePrivateFolder } from "../storage/private-folder.ts";
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

export type PreferencesDeps = {
  readonly dir: string;
  /** Wall milliseconds; names what is moved aside. */
  readonly now: () => number;
  /** As in `Processes`. */
  readonly uid: number | null;
  /** What a write has repaired. */
  readonly onNotice: OnNotice;
  /** For `doctor`: a folder with entries of other users is refused, and left as it is. */
  readonly changesNothing?: boolean;
};

type Place = PrivateFileDeps & { readonly dir: string; readonly path: string };

/** The preferences of the data folder `dir`; nothing is touched before the first call. */
export const createPreferencesFile = ({ dir, now, uid, onNotice, changesNothing = false }: PreferencesDeps): PreferencesFile => {
  const { config: path } = dataFiles(dir);
  const place: Place = { dir, path, files: systemFiles, uid, onNotice, repairModes: !changesNothing };
  return {
    path,
    read() {
      checkPrivateFolder(dir, place);
      return readValues(place);
    },
    async set(key, value) {
      const Conf = await loadConf();
      ensurePrivateFolder(dir, place);
      const torn = moveTornAside(place, now);
      writeValues(Conf, place, withKey(readValues(place) ?? {}, key, value));
      return torn;
    },
    async unset(key) {
      const Conf = await loadConf();
      checkPrivateFolder(dir, place);
      const values = readValues(place);
      if (values === null || !hasKey(values, key)) return false;
      ensurePrivateFolder(dir, place);
      writeValues(Conf, place, withoutKey(values, key));
      return true;
    },
  };
};

const readValues = (place: Place): JsonObject | null => {
  const { path } = place;
  const text = readText(place);
  if (text === null) return null;
  const values = parseJsonObject(text);
  if (values !== null) return values;
  throw new AppError({
    code: "bad-config",
    message: `${path} is not a JSON object, so no setting can be read from it. It is left as it is.`,
    hint: "Repair or remove it; `claude-oauth-proxy config set KEY VALUE` moves it aside and begins a new one.",
  });
};

// Readable by others is fine: there is no secret in it.
const readText = (place: Place): string | null => {
  const found = readPrivate(place.path, { ...place, repairModes: false });
  if (found === null) return null;
  // Broken UTF-8 must not come back from a rewrite as other characters: it counts as torn.
  return isUtf8(found.bytes) ? found.bytes.toString("utf8") : "";
};

const moveTornAside = (place: Place, now: () => number): string | null => {
  const { path } = place;
  const text = readText(place);
  if (text === null || parseJsonObject(text) !== null) return null;
  const aside = `${path}.torn-${new Date(now()).toISOString().replace(/[:.]/g, "-")}`;
  attempt(path, () => renameSync(path, aside));
  return aside;
};

// Loaded for a write only: it took a tenth of a second of every start (ajv and 130 files with it), and hardly any
// start writes. Loaded before anything is read, so that no other write comes between.
const loadConf = async (): Promise<typeof ConfOf> => (await import("conf")).default;

// conf writes beside and renames.
const writeValues = (Conf: typeof ConfOf, { dir, path }: Place, values: JsonObject): void =>
  attempt(path, () => {
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
