// The sealed form of the credentials file: a readable header that names how the key is made, and the
// content under AES-256-GCM with that header as authenticated data. Pure: knows no passphrase and no file.
import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from "node:crypto";
import { isObject, own, parseJsonObject } from "../lib/json.ts";
import type { JsonObject } from "../lib/json.ts";
import type { Random } from "../lib/random.ts";
import { base64url } from "../lib/random.ts";

/** How the master key comes about. `salt` and `id` are base64url. */
export type KeySource =
  | { readonly by: "passphrase"; readonly kdf: "scrypt"; readonly n: number; readonly r: number; readonly p: number; readonly salt: string }
  | { readonly by: "keyring"; readonly id: string };

/** `check` tells a wrong key from a damaged file: it is an HMAC of a constant under the key. */
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
const boundTo = (source: KeySource, check: string): Buffer => Buffer.from(JSON.stringify([1, label, Object.entries(source), check]));

/** Seals `plain`; a fresh random IV each time (96 bits, NIST SP 800-38D section 8.2.2). */
export const sealText = (plain: string, key: { source: KeySource; master: Uint8Array }, random: Random): string => {
  const iv = random(12);
  const check = checkOf(key.master);
  const cipher = createCipheriv("aes-256-gcm", derive(key.master, "seal"), iv).setAAD(boundTo(key.source, check));
  const content = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
  const parts = { check, iv: base64url(iv), tag: base64url(cipher.getAuthTag()), content: base64url(content) };
  const sealed = { ...key.source, cipher: "aes-256-gcm", ...parts };
  return `${JSON.stringify({ version: 1, sealed }, null, 2)}\n`;
};

export type Opened = { readonly outcome: "opened"; readonly text: string } | { readonly outcome: "wrong-key" | "damaged" };

/** The plain text, or why there is none. */
export const openEnvelope = (envelope: Envelope, master: Uint8Array): Opened => {
  const check = Buffer.from(checkOf(master));
  const wanted = Buffer.from(envelope.check);
  if (check.length !== wanted.length || !timingSafeEqual(check, wanted)) return { outcome: "wrong-key" };
  try {
    const decipher = createDecipheriv("aes-256-gcm", derive(master, "seal"), bytes(envelope.iv), { authTagLength: 16 });
    decipher.setAAD(boundTo(envelope.source, envelope.check)).setAuthTag(bytes(envelope.tag));
    return { outcome: "opened", text: Buffer.concat([decipher.update(bytes(envelope.content)), decipher.final()]).toString("utf8") };
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
  if (!within(n, 2 ** 10, 2 ** 20) || !within(r, 1, 32) || !within(p, 1, 16)) return null;
  return Number.isInteger(Math.log2(n)) && 128 * n * r <= 2 ** 30 ? { n, r, p } : null;
};

const within = (value: unknown, low: number, high: number): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= low && value <= high;
