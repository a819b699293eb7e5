// Seals and opens the text of the credentials file by the mode that is set: a readable header that names how
// the key is made, and the content under AES-256-GCM with that header as authenticated data. Whatever the mode,
// every known seal can be opened, so that a change of mode is just the next write. Never keeps a key in a file.
import { createCipheriv, createDecipheriv, createHmac, scrypt } from "node:crypto";
import type { ScryptOptions } from "node:crypto";
import { isObject, own, parseJsonObject } from "../lib/json.ts";
import type { JsonObject } from "../lib/json.ts";
import { base64url } from "../lib/random.ts";
import type { Random } from "../lib/random.ts";
import { sameText } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import { AppError } from "../messages/errors.ts";
import type { Keyring } from "./keyring.ts";

export type EncryptionMode = "none" | "passphrase" | "keyring";

export type EncryptionDeps = {
  readonly mode: EncryptionMode;
  /** False: no person has set `mode`, it is the default. Then a store that is or was sealed stays so. */
  readonly isGiven: boolean;
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

export type Encryption = {
  /** How the next write is sealed: the mode that was given, else the one of the last `remember`. */
  readonly mode: EncryptionMode;
  /** `none` was given: a plain store may take the place of a sealed one. */
  readonly mayUnseal: boolean;
  /** How the store is sealed, or was before it went missing. */
  remember(by: EncryptionMode): void;
  /** Gets the keys ready to open `text` and to seal its successor. Throws `store-sealed`. */
  prepare(text: string | null): Promise<void>;
  /** How `text` is sealed; `unknown` for a seal of a later version. */
  modeOf(text: string): EncryptionMode | "unknown";
  /** Synchronous, after `prepare` of a text with the same seal. Throws `store-sealed` for a wrong key. */
  open(text: string): OpenedText;
  /** Synchronous, after `prepare`. */
  seal(plain: string): string;
};

/** How the master key comes about. `salt` and `id` are base64url. */
type KeySource =
  | { readonly by: "passphrase"; readonly kdf: "scrypt"; readonly n: number; readonly r: number; readonly p: number; readonly salt: string }
  | { readonly by: "keyring"; readonly id: string };

type Key = { readonly source: KeySource; readonly master: Uint8Array };

/** The encryption of one credentials file. */
export const createEncryption = (deps: EncryptionDeps): Encryption => {
  const masters = new Map<string, Uint8Array>();
  let current: Key | null = null;
  let remembered: EncryptionMode = "none";
  const mode = (): EncryptionMode => (deps.isGiven ? deps.mode : remembered);

  const prepareOpening = async (envelope: Envelope): Promise<void> => {
    const { source } = envelope;
    const master = masters.get(nameOf(source)) ?? (await masterOf(source, deps));
    if (openEnvelope(envelope, master).outcome === "wrong-key") throw wrongKey(source);
    masters.set(nameOf(source), master);
    // The same salt is used again as long as the passphrase is the same: deriving takes half a second.
    if (source.by === mode() && deps.newPassphrase === undefined) current ??= { source, master };
  };

  const prepareSealing = async (): Promise<void> => {
    if (mode() === "none" || current?.source.by === mode()) return;
    current = mode() === "keyring" ? newKeyringKey(await deps.keyring(), deps.random) : await newPassphraseKey(deps);
    masters.set(nameOf(current.source), current.master);
  };

  return {
    get mode() {
      return mode();
    },
    mayUnseal: deps.isGiven && deps.mode === "none",
    remember: (by) => void (remembered = by),
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
    seal(plain) {
      if (mode() === "none") return plain;
      if (current === null) throw new AppError({ code: "internal", message: "the key was not prepared" });
      return sealText(plain, current, deps.random);
    },
  };
};

const nameOf = (source: KeySource): string => JSON.stringify(Object.entries(source));

const openText = (text: string, masters: ReadonlyMap<string, Uint8Array>): OpenedText => {
  const envelope = readEnvelope(text);
  if (envelope === "plain") return { outcome: "opened", text };
  if (envelope === "unknown") return { outcome: "damaged", reason: "it is sealed in a way that this version does not know" };
  const master = masters.get(nameOf(envelope.source));
  const opened = master === undefined ? null : openEnvelope(envelope, master);
  if (opened === null || opened.outcome === "wrong-key") throw wrongKey(envelope.source);
  return opened.outcome === "opened" ? opened : { outcome: "damaged", reason: "its seal is broken: it was changed or damaged" };
};

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

const masterOf = async (source: KeySource, { keyring, passphrase }: EncryptionDeps): Promise<Uint8Array> =>
  source.by === "keyring" ? fromKeyring(await keyring(), source.id) : fromPassphrase(await passphrase(), source);

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

const fromPassphrase = async (passphrase: Secret | null, source: KeySource & { by: "passphrase" }): Promise<Uint8Array> => {
  if (passphrase === null || passphrase.reveal() === "") throw noPassphrase();
  const { n, r, p, salt } = source;
  // NFKC, so that the same letters typed on another keyboard are the same passphrase.
  const text = passphrase.reveal().normalize("NFKC");
  return deriveKey(text, Buffer.from(salt, "base64url"), { N: n, r, p, maxmem: 128 * n * r + 2 ** 25 });
};

const noPassphrase = (): AppError =>
  new AppError({
    code: "store-sealed",
    message: "accounts.json needs a passphrase and there is none",
    hint: "Set CLAUDE_OAUTH_PROXY_PASSPHRASE, or start on a terminal and type it when asked.",
  });

const deriveKey = (text: string, salt: Uint8Array, options: ScryptOptions): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    scrypt(text, salt, 32, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });

const newPassphraseKey = async ({ random, cost, passphrase, newPassphrase }: EncryptionDeps): Promise<Key> => {
  const source = { by: "passphrase", kdf: "scrypt", n: cost ?? 2 ** 17, r: 8, p: 1, salt: base64url(random(16)) } as const;
  return { source, master: await fromPassphrase(await (newPassphrase ?? passphrase)(), source) };
};

/** A sealed text in its parts, base64url. `check`, an HMAC of a constant under the key, shows a wrong key apart from a damaged file. */
export type Envelope = {
  readonly source: KeySource;
  readonly check: string;
  readonly iv: string;
  readonly tag: string;
  readonly content: string;
};

const label = "claude-oauth-proxy accounts.json";
const derive = (master: Uint8Array, purpose: string): Buffer => createHmac("sha256", master).update(`${label} ${purpose}`).digest();
const checkOf = (master: Uint8Array): string => base64url(derive(master, "check"));
const authenticated = (source: KeySource, check: string): Buffer => Buffer.from(JSON.stringify([1, label, Object.entries(source), check]));

/** Seals `plain`; a fresh random IV each time (96 bits, NIST SP 800-38D section 8.2.2). */
export const sealText = (plain: string, { source, master }: Key, random: Random): string => {
  const iv = random(12);
  const check = checkOf(master);
  const cipher = createCipheriv("aes-256-gcm", derive(master, "seal"), iv).setAAD(authenticated(source, check));
  const content = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
  const parts = { check, iv: base64url(iv), tag: base64url(cipher.getAuthTag()), content: base64url(content) };
  return `${JSON.stringify({ version: 1, sealed: { ...source, cipher: "aes-256-gcm", ...parts } }, null, 2)}\n`;
};

type OpenedEnvelope = { readonly outcome: "opened"; readonly text: string } | { readonly outcome: "wrong-key" | "damaged" };

/** The plain text, or why there is none. */
export const openEnvelope = ({ source, ...parts }: Envelope, master: Uint8Array): OpenedEnvelope => {
  if (!sameText(checkOf(master), parts.check)) return { outcome: "wrong-key" };
  try {
    const decipher = createDecipheriv("aes-256-gcm", derive(master, "seal"), bytes(parts.iv), { authTagLength: 16 });
    decipher.setAAD(authenticated(source, parts.check)).setAuthTag(bytes(parts.tag));
    return { outcome: "opened", text: Buffer.concat([decipher.update(bytes(parts.content)), decipher.final()]).toString("utf8") };
  } catch {
    return { outcome: "damaged" };
  }
};

const bytes = (text: string): Buffer => Buffer.from(text, "base64url");

/** `plain` for anything without a `sealed` part, `unknown` for a seal this version cannot open. */
export const readEnvelope = (text: string): Envelope | "plain" | "unknown" => {
  const sealed = own(parseJsonObject(text) ?? {}, "sealed");
  if (sealed === undefined) return "plain";
  if (!isObject(sealed)) return "unknown";
  const { check, iv, tag, content, cipher } = sealed;
  const source = sourceOf(sealed);
  if (source === null || cipher !== "aes-256-gcm") return "unknown";
  if (typeof check !== "string" || typeof iv !== "string" || typeof tag !== "string" || typeof content !== "string") return "unknown";
  return { source, check, iv, tag, content };
};

const sourceOf = (fields: JsonObject): KeySource | null => {
  const { by, kdf, salt, id } = fields;
  if (by === "keyring" && typeof id === "string") return { by, id };
  const cost = costOf(fields);
  return by === "passphrase" && kdf === "scrypt" && typeof salt === "string" && cost !== null ? { by, kdf, ...cost, salt } : null;
};

/** A hostile file must not make us allocate without bound (RFC 7914: 128 * N * r bytes, N a power of two). */
const costOf = ({ n, r, p }: JsonObject): { n: number; r: number; p: number } | null => {
  if (!isWithin(n, 2 ** 10, 2 ** 20) || !isWithin(r, 1, 32) || !isWithin(p, 1, 16)) return null;
  return Number.isInteger(Math.log2(n)) && 128 * n * r <= 2 ** 30 ? { n, r, p } : null;
};

const isWithin = (value: unknown, low: number, high: number): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= low && value <= high;
