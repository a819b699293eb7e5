// The operating system's key store, through the optional package @napi-rs/keyring. It is looked for only
// when the setting asks for it, and its absence is a sentence, not a crash.
import { AppError } from "../messages/errors.ts";

/** Reads and writes one secret text by name. */
export type Keyring = { get(name: string): string | null; set(name: string, value: string): void };

const service = "claude-oauth-proxy";
const packageName = "@napi-rs/keyring";

/** What is used of the package. */
type Entry = { getPassword(): unknown; setPassword(value: string): void };
type EntryClass = new (service: string, name: string) => Entry;

/**
 * Loads the package by `load` (`(name) => import(name)` in the program). Throws `store-sealed` with what
 * to do when it is not installed or has another shape.
 */
export const openKeyring = async (load: (name: string) => Promise<unknown>): Promise<Keyring> => {
  const Entry = await entryClass(load);
  return {
    get(name) {
      try {
        const value = new Entry(service, name).getPassword();
        return typeof value === "string" ? value : null;
      } catch (error) {
        // Older versions of the package throw instead of giving null.
        if (error instanceof Error && /no (matching )?entry/i.test(error.message)) return null;
        throw failed("read");
      }
    },
    set(name, value) {
      try {
        new Entry(service, name).setPassword(value);
      } catch {
        throw failed("written");
      }
    },
  };
};

const entryClass = async (load: (name: string) => Promise<unknown>): Promise<EntryClass> => {
  const module = await load(packageName).catch(() => null);
  const Entry = typeof module === "object" && module !== null && "Entry" in module ? module.Entry : null;
  if (typeof Entry === "function") return Entry as EntryClass;
  throw new AppError({
    code: "store-sealed",
    message: `storage.encryption is "keyring", but the optional package ${packageName} is not installed`,
    hint: `Install it beside claude-oauth-proxy (npm install ${packageName}), or set storage.encryption to "passphrase" or "none".`,
  });
};

// The cause is left out: such errors may quote what was to be stored.
const failed = (what: string): AppError =>
  new AppError({
    code: "store-sealed",
    message: `the operating system's key store could not be ${what}`,
    hint: 'Unlock it (log in to the desktop session), or set storage.encryption to "passphrase".',
  });
