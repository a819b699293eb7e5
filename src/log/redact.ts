// The last net before text leaves the process. Events carry no secret by design; this catches the one
// that slipped into a sentence from outside: by value for the secrets we hold, by name and shape for all others.
import type { Secret } from "../lib/secret.ts";
import { withoutValue } from "../lib/without-secrets.ts";

/** Replaces every secret in a text by stars (`[e-mail]` for an address). Never throws, never lengthens without bound. */
export type Redact = (text: string) => string;

/** `known` is asked at every call, because tokens change while the program runs. */
export const createRedact = (known: () => Iterable<Secret> = () => []): Redact => {
  return (text) => {
    let clean = text;
    for (const value of known()) clean = withoutValue(clean, value.reveal());
    if (!suspicious.test(clean)) return clean;
    for (const [shape, replacement] of shapes) clean = clean.replace(shape, replacement);
    return clean;
  };
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

const stars = "***";

const named =
  "access_token|refresh_token|id_token|code_verifier|client_secret|api[_-]?key|x-api-key|x-claude-oauth-proxy-key|authorization|proxy-authorization|set-cookie|cookie|passw(?:or)?d|passphrase";

// What every shape below has somewhere: one quick look spares nearly every line the nine slow ones.
const suspicious = new RegExp(`sk-ant-|cop_|eyj|bearer|basic|[#=@]|${named}`, "i");

// Every quantifier is bounded or over one class: no shape can be made to backtrack by hostile text.
const shapes: readonly (readonly [RegExp, string])[] = [
  [/sk-ant-[\w-]{4,}/g, stars],
  [/\bcop_[\w-]{8,}/g, stars],
  [/\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?/g, stars],
  [/\b(bearer|basic)(\s{1,4})[\w.~+/=-]{6,}/gi, `$1$2${stars}`],
  // `code#state` as the authorize page shows it.
  [/(?<![\w-])[\w-]{16,}#[\w-]{16,}/g, stars],
  [/([?&](?:code|state|token|key|code_challenge)=)[^&\s"'<>]{1,4096}/gi, `$1${stars}`],
  [new RegExp(`((?:${named})["']?\\s{0,4}[:=]\\s{0,4}["']?)(?!\\*\\*\\*|(?:bearer|basic)\\s)[^\\s"',;&}]{1,4096}`, "gi"), `$1${stars}`],
  [/(:\/\/)[^\s/?#@]{1,256}@/g, `$1${stars}@`],
  [/(?<![\w.+%-])[\w.+%-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}/gi, "[e-mail]"],
];
