// Opens and seals the text of the credentials file by the mode that is set. Whatever the mode, every
// known seal can be opened, so that a change of mode is just the next write. Never keeps a key in a file.
import { scrypt } from "node:crypto";
import type { ScryptOptions } from "node:crypto";
import { base64url } from "../lib/random.ts";
import type { Random } from "../lib/random.ts";
import type { Secret } from "../lib/secret.ts";
import { AppError } from "../messages/errors.ts";
import type { Keyring } from "./keyring.ts";
import { openEnvelope, readEnvelope, sealText } from "./sealed-text.ts";
import type { Envelope, KeySource } from "./sealed-text.ts";

export type SealMode = "none" | "passphrase" | "keyring";

export type SealDeps = {
  readonly mode: SealMode;
  readonly random: Random;
  /** Asks for the passphrase, at most once while it is right; null when there is none to be had. */
  readonly passphrase: () => Promise<Secret | null>;
  /** Seal with this one from now on; the old one still opens. */
  readonly newPassphrase?: () => Promise<Secret | null>;
  readonly keyring: () => Promise<Keyring>;
  /** scrypt N (a power of two). The default takes 128 MiB and about 0.4 s, once per start (OWASP's first choice). */
  readonly cost?: number;
};

/** `damaged` is a broken file; a wrong or missing key is thrown, because the file may be perfectly good. */
export type OpenedText = { readonly outcome: "opened"; readonly text: string } | { readonly outcome: "damaged"; readonly reason: string };

export type Seal = {
  readonly mode: SealMode;
  /** Gets the keys ready to open `text` and to seal its successor. Throws `store-sealed`. */
  prepare(text: string | null): Promise<void>;
  /** How `text` is sealed; `unknown` for a seal of a later version. */
  modeOf(text: string): SealMode | "unknown";
  /** Synchronous, after `prepare` of a text with the same seal. Throws `store-sealed` for a wrong key. */
  open(text: string): OpenedText;
  /** Synchronous, after `prepare`. */
  close(plain: string): string;
};

type Key = { readonly source: KeySource; readonly master: Uint8Array };

/** A seal for one credentials file. */
export const createSeal = (deps: SealDeps): Seal => {
  const masters = new Map<string, Uint8Array>();
  let current: Key | null = null;

  const masterFor = async (source: KeySource, ask: () => Promise<Secret | null>): Promise<Uint8Array> => {
    const known = masters.get(nameOf(source));
    if (known !== undefined) return known;
    const master = source.by === "keyring" ? fromKeyring(await deps.keyring(), source.id) : await fromPassphrase(await ask(), source);
    return master;
  };

  const prepareOpening = async (envelope: Envelope): Promise<void> => {
    const master = await masterFor(envelope.source, deps.passphrase);
    if (openEnvelope(envelope, master).outcome === "wrong-key") throw wrongKey(envelope.source);
    masters.set(nameOf(envelope.source), master);
    // The same salt is used again as long as the passphrase is the same: deriving takes half a second.
    if (envelope.source.by === deps.mode && deps.newPassphrase === undefined) current ??= { source: envelope.source, master };
  };

  const prepareSealing = async (): Promise<void> => {
    if (deps.mode === "none" || current !== null) return;
    current = deps.mode === "keyring" ? newKeyringKey(await deps.keyring(), deps.random) : await newPassphraseKey(deps);
    masters.set(nameOf(current.source), current.master);
  };

  return {
    mode: deps.mode,
    async prepare(text) {
      const envelope = text === null ? "plain" : readEnvelope(text);
      if (typeof envelope === "object") await prepareOpening(envelope);
      await prepareSealing();
    },
    modeOf(text) {
      const envelope = readEnvelope(text);
      return typeof envelope === "object" ? envelope.source.by : envelope === "plain" ? "none" : "unknown";
    },
    open: (text) => openText(text, masters),
    close(plain) {
      if (deps.mode === "none") return plain;
      if (current === null) throw new AppError({ code: "internal", message: "the key was not prepared" });
      return sealText(plain, current, deps.random);
    },
  };
};

const openText = (text: string, masters: ReadonlyMap<string, Uint8Array>): OpenedText => {
  const envelope = readEnvelope(text);
  if (envelope === "plain") return { outcome: "opened", text };
  if (envelope === "unknown") return { outcome: "damaged", reason: "it is sealed in a way that this version does not know" };
  const master = masters.get(nameOf(envelope.source));
  if (master === undefined) throw wrongKey(envelope.source);
  const opened = openEnvelope(envelope, master);
  if (opened.outcome === "wrong-key") throw wrongKey(envelope.source);
  return opened.outcome === "opened" ? opened : { outcome: "damaged", reason: "its seal is broken: it was changed or damaged" };
};

const nameOf = (source: KeySource): string => JSON.stringify(Object.entries(source));

const wrongKey = (source: KeySource): AppError =>
  source.by === "passphrase"
    ? new AppError({
        code: "store-sealed",
        message: "the passphrase does not open accounts.json",
        hint: "Nothing was changed. Try again with the passphrase it was sealed with.",
      })
    : foreignKey("the key in the operating system's key store does not open accounts.json");

const foreignKey = (message: string): AppError =>
  new AppError({ code: "store-sealed", message, hint: "Nothing was changed. Open it as the user, and on the machine, that sealed it." });

const fromPassphrase = (passphrase: Secret | null, source: KeySource & { by: "passphrase" }): Promise<Uint8Array> => {
  if (passphrase === null || passphrase.reveal() === "") return Promise.reject(noPassphrase());
  const { n, r, p, salt } = source;
  // NFKC, so that the same letters typed on another keyboard are the same passphrase.
  const text = passphrase.reveal().normalize("NFKC");
  return deriveKey(text, Buffer.from(salt, "base64url"), { N: n, r, p, maxmem: 128 * n * r + 2 ** 25 });
};

const deriveKey = (text: string, salt: Uint8Array, options: ScryptOptions): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    scrypt(text, salt, 32, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });

const noPassphrase = (): AppError =>
  new AppError({
    code: "store-sealed",
    message: "accounts.json needs a passphrase and there is none",
    hint: "Set CLAUDE_OAUTH_PROXY_PASSPHRASE, or start on a terminal and type it when asked.",
  });

const newPassphraseKey = async ({ random, cost, passphrase, newPassphrase }: SealDeps): Promise<Key> => {
  const source = { by: "passphrase", kdf: "scrypt", n: cost ?? 2 ** 17, r: 8, p: 1, salt: base64url(random(16)) } as const;
  return { source, master: await fromPassphrase(await (newPassphrase ?? passphrase)(), source) };
};

const fromKeyring = (keyring: Keyring, id: string): Uint8Array => {
  const text = keyring.get(id);
  if (text !== null) return Buffer.from(text, "base64url");
  throw foreignKey("accounts.json is sealed with a key that the operating system's key store does not hold");
};

/** Read back before anything is sealed with it: a key that was not kept would lose the file. */
const newKeyringKey = (keyring: Keyring, random: Random): Key => {
  const id = `accounts-${base64url(random(9))}`;
  keyring.set(id, base64url(random(32)));
  return { source: { by: "keyring", id }, master: fromKeyring(keyring, id) };
};
