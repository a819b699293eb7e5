// The data folder as the program uses it: credentials, local key, history, and the certificates it names.
import { dataFiles } from "../storage/paths.ts";
import { createAccountsFile } from "../storage/accounts-file.ts";
import type { AccountsFile } from "../storage/accounts-file.ts";
import { systemFiles } from "../storage/files.ts";
import type { StorageNotice } from "../storage/files.ts";
import { createHistoryFile } from "../storage/history-file.ts";
import type { HistoryFile } from "../storage/history-file.ts";
import { openKeyring } from "../storage/keyring.ts";
import { loadLocalKey } from "../storage/local-key.ts";
import { readNamed } from "../storage/private-file.ts";
import type { NamedFile } from "../storage/private-file.ts";
import { ensurePrivateFolder } from "../storage/private-folder.ts";
import { createSystemProcesses } from "../storage/processes.ts";
import { createProxyFile } from "../storage/proxy-file.ts";
import type { ProxyFile } from "../storage/proxy-file.ts";
import { createEncryption } from "../storage/encryption.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { secret } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import type { Bus, Publish } from "../messages/bus.ts";
import { AppError } from "../messages/errors.ts";
import type { CoreOptions } from "./core.ts";

export type DataFolder = {
  readonly pid: number;
  readonly accounts: AccountsFile;
  readonly history: HistoryFile;
  readonly proxyFile: ProxyFile;
  /** The local key; made when there was none. Throws `store-…`. */
  readonly key: () => Secret;
  /** The text of `upstream.caFile`, null when none is set. */
  readonly certificates: string | null;
};

type Tools = { readonly clock: Clock; readonly random: Random; readonly publish: Publish; readonly hide: Bus["hide"] };

/** Makes the folder when it is missing, repairs its modes, reads nothing secret yet. Throws `store-…`, `bad-config`. */
export const openDataFolder = (options: CoreOptions, { clock, random, publish, hide }: Tools): DataFolder => {
  const { dir, config } = options;
  let passphrase: Secret | null = null;
  hide(() => (passphrase === null ? [] : [passphrase]));
  const processes = createSystemProcesses(options.process);
  const onNotice = (notice: StorageNotice): void => publish({ type: "notice", ...notice });
  ensurePrivateFolder(dir, { files: systemFiles, uid: processes.uid, onNotice });
  const encryption = createEncryption({
    mode: config.storage.encryption,
    isGiven: options.encryptionIsGiven ?? config.storage.encryption !== "none",
    random,
    passphrase: async () => (passphrase = await passphraseOf(options)),
    keyring: () => openKeyring((name) => import(name)),
  });
  return {
    pid: processes.self.pid,
    accounts: createAccountsFile({ dir, clock, random, encryption, processes, onNotice }),
    history: createHistoryFile({ dir, clock, random, processes, onNotice }),
    proxyFile: createProxyFile({ dir, clock, random, processes, files: systemFiles, uid: processes.uid, onNotice }),
    key: () => loadLocalKey(dataFiles(dir).key, { files: systemFiles, random, processes, onNotice }),
    certificates: config.upstream.caFile === null ? null : readCertificates(config.upstream.caFile, { uid: processes.uid, onNotice }),
  };
};

const passphraseOf = async ({ environment, askPassphrase }: CoreOptions): Promise<Secret | null> => {
  const given = environment["CLAUDE_OAUTH_PROXY_PASSPHRASE"];
  return given === undefined || given === "" ? askPassphrase() : secret(given);
};

const largestCertificates = 16 * 1024 * 1024;

/** Another user's file is used too (that of the host of a container), but with a warning: it decides which servers are trusted. */
const readCertificates = (path: string, { uid, onNotice }: { readonly uid: number | null; readonly onNotice: (notice: StorageNotice) => void }): string => {
  const { bytes, stat } = namedFile(path);
  const isForeign = uid !== null && stat.uid !== uid && stat.uid !== 0;
  if (isForeign || (uid !== null && (stat.mode & 0o002) !== 0)) {
    const message = `upstream.caFile names ${path}, which ${isForeign ? `another user (uid ${stat.uid})` : "every user"} can change, and with it which servers are trusted`;
    onNotice({ level: "warning", code: "certificates-foreign", message, hint: "Name a copy of your own." });
  }
  return bytes.toString("utf8");
};

const namedFile = (path: string): NamedFile => {
  let found: NamedFile | string;
  try {
    found = readNamed(path, { files: systemFiles, limit: largestCertificates });
  } catch (cause) {
    throw badCertificates(`${path}, which cannot be read`, cause);
  }
  if (typeof found === "string") throw badCertificates(`${path}, which is not read: ${found}`);
  return found;
};

const badCertificates = (what: string, cause?: unknown): AppError =>
  new AppError({ code: "bad-config", message: `upstream.caFile names ${what}`, hint: "Name a readable PEM file, or unset upstream.caFile.", cause });
