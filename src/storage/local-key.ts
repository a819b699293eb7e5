// The key that a client shows to this proxy: made once, shared by every process of this data folder.
// It opens no account anywhere else, but a program that has it can spend the subscription from this machine.
import { base64url } from "../lib/random.ts";
import type { Random } from "../lib/random.ts";
import { secret } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import { tempName } from "./atomic-write.ts";
import { codeOf, discard, lacksHardLinks, unwritable } from "./files.ts";
import type { Files, OnNotice } from "./files.ts";
import { readPrivate } from "./private-file.ts";
import type { Processes } from "./processes.ts";

export type LocalKeyDeps = { readonly files: Files; readonly random: Random; readonly processes: Processes; readonly onNotice: OnNotice };

/** A person may put a key of their own into the file; 22 characters are 128 bits of base64. */
export const acceptableKey = /^[\u0021-\u007e]{22,256}$/;

/**
 * The key in the file `path`; made (`cop_` and 256 random bits, base64url) when there is none. Of two
 * processes that make it at once one wins and both use that one. A file without a usable key is moved
 * aside and reported. Throws `store-unreadable` or `store-unwritable`.
 */
export const loadLocalKey = (path: string, deps: LocalKeyDeps): Secret => {
  const { files, onNotice, processes } = deps;
  for (;;) {
    const found = readPrivate(path, { files, uid: processes.uid, onNotice });
    if (found === null) {
      const made = create(path, deps);
      if (made !== null) return made;
      continue;
    }
    const text = found.bytes.toString("utf8").trim();
    if (acceptableKey.test(text)) return secret(text);
    moveAside(path, deps);
  }
};

/** Null when another process was faster. */
const create = (path: string, { files, random, processes }: LocalKeyDeps): Secret | null => {
  const key = `cop_${base64url(random(32))}`;
  const temp = tempName(path, { random, pid: processes.self.pid });
  try {
    writeSynced(temp, key, files);
    publish(temp, path, key, files);
    return secret(key);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return null;
    throw unwritable(path, error);
  } finally {
    discard(temp, files);
  }
};

/** A hard link appears whole and never replaces what is there. Without them, the file is made in place. */
const publish = (temp: string, path: string, key: string, files: Files): void => {
  try {
    files.linkSync(temp, path);
  } catch (error) {
    if (!lacksHardLinks(error)) throw error;
    writeSynced(path, key, files);
  }
};

const writeSynced = (path: string, key: string, files: Files): void => {
  const fd = files.openSync(path, "wx", 0o600);
  try {
    files.fchmodSync(fd, 0o600);
    files.writeSync(fd, `${key}\n`);
    files.fsyncSync(fd);
  } finally {
    files.closeSync(fd);
  }
};

const moveAside = (path: string, { files, random, onNotice }: LocalKeyDeps): void => {
  const aside = `${path}.broken-${Buffer.from(random(4)).toString("hex")}`;
  try {
    files.renameSync(path, aside);
  } catch (error) {
    // Another process was faster.
    if (codeOf(error) === "ENOENT") return;
    throw unwritable(path, error);
  }
  const message = `${path} held no usable key (22 to 256 printable characters); it was moved to ${aside} and a new key was made`;
  onNotice({ level: "warning", code: "key-replaced", message, hint: "Give the new key to your clients: `claude-oauth-proxy env`." });
};
