// Text without secrets. Events carry none by design; these catch the one that slipped into a sentence from outside:
// by value for the secrets that are known, by name and shape for all others.
import type { Secret } from "./secret.ts";

/** Replaces every secret in a text by stars, and most of an e-mail address. Never throws, never lengthens without bound. */
export type Redact = (text: string) => string;

/** The last net before text leaves the process. `known` is asked at every call, because tokens change while the program runs. */
export const createRedact =
  (known: () => Iterable<Secret> = () => []): Redact =>
  (text) => {
    let clean = withoutValues(text, known());
    if (!suspicious.test(clean)) return clean;
    for (const [shape, replacement] of shapes) clean = clean.replace(shape, replacement);
    return withoutEmail(clean);
  };

/**
 * The same record with every text in it redacted; numbers, booleans and null stay. All texts are looked at
 * together first: almost every record is clean, and one look is cheaper than one per field.
 */
export const redactRecord = (record: Readonly<Record<string, unknown>>, redact: Redact): Readonly<Record<string, unknown>> => {
  let texts = "";
  for (const name in record) {
    const value = record[name];
    if (typeof value === "string") texts += `${value}\n`;
  }
  if (redact(texts) === texts) return record;
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, typeof value === "string" ? redact(value) : value]));
};

/**
 * A server's sentence without what it quotes back ("invalid token …"): stars for every value in `secrets` and for
 * everything that looks like a token of the provider, and no e-mail address. Words such as "bearer" stay, because the
 * sentence is shown as a reason. Values go first and in the whole text: a cut before that would leave the beginning of one.
 */
export const withoutSecrets = (text: string, secrets: readonly Secret[]): string =>
  withoutEmail(withoutValues(text, secrets).slice(0, longestSentence).replace(providerToken, stars));

/** Every e-mail address becomes its first letter and `…@…`: organisations are often named after their owner's address. */
export const withoutEmail = (text: string): string => (text.includes("@") ? text.replace(email, "$1…@…") : text);

const stars = "***";

/** Shorter values would blank ordinary words. */
const shortestSecret = 8;

/** What is looked at for shapes and addresses; no more of a sentence is ever shown. */
const longestSentence = 8000;

const withoutValues = (text: string, secrets: Iterable<Secret>): string => {
  let clean = text;
  for (const each of secrets) {
    const value = each.reveal();
    if (value.length < shortestSecret) continue;
    if (clean.includes(value)) clean = clean.replaceAll(value, stars);
    if (!sameEncoded.test(value)) clean = clean.replaceAll(encodeURIComponent(value.toWellFormed()), stars);
  }
  return clean;
};

// What no URL encoding touches: every token of the provider is made of these.
const sameEncoded = /^[\w\-.!~*'()]*$/;

const providerToken = /sk-ant-[\w-]+/gi;

const email = /([\p{L}\p{N}])[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]{0,63}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,8}/gu;

const named =
  "access_token|refresh_token|id_token|code_verifier|client_secret|api[_-]?key|x-api-key|x-claude-oauth-proxy-key|authorization|proxy-authorization|set-cookie|cookie|passw(?:or)?d|passphrase";

// What every shape below has somewhere: one quick look spares nearly every line the slow ones.
const suspicious = new RegExp(`sk-ant-|cop_|eyj|bearer|basic|[#=@]|${named}`, "i");

// Every quantifier is bounded or over one class: no shape can be made to backtrack by hostile text.
const shapes: readonly (readonly [RegExp, string])[] = [
  [providerToken, stars],
  [/\bcop_[\w-]{8,}/g, stars],
  [/\beyJ[\w-]{8,}(?:\.[\w-]*){0,4}/g, stars],
  [/\b(bearer|basic)(\s{1,4})[\w.~+/=-]{6,}/gi, `$1$2${stars}`],
  // `code#state` as the authorize page shows it.
  [/(?<![\w-])[\w-]{16,}#[\w-]{16,}/g, stars],
  [/([?&](?:code|state|token|key|code_challenge)=)[^&\s"'<>]{1,4096}/gi, `$1${stars}`],
  [new RegExp(`((?:${named})["']?\\s{0,4}[:=]\\s{0,4}["']?)(?!\\*\\*\\*|(?:bearer|basic)\\s)[^\\s"',;&}]{1,4096}`, "gi"), `$1${stars}`],
  // User name and password of a URL, up to the last @ before the path: a password may hold one.
  [/(:\/\/)[^\s/?#]{1,256}@/g, `$1${stars}@`],
];
