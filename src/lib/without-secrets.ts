// A sentence from outside without what must not stay in it: servers quote tokens back ("invalid token …").
// The secrets that were sent are known by value; for all others there is only the provider's shape.
import type { Secret } from "./secret.ts";
import { withoutEmail } from "./without-email.ts";

/** Shorter values would blank ordinary words. */
const shortest = 8;

/** What is looked at for shapes and addresses; nobody shows more of a sentence. */
const longest = 8000;

/**
 * `text` with stars for every value in `secrets` (URL-encoded ones too) and for everything that looks like
 * a token of the provider, and without e-mail addresses. Values go first and in the whole text: a cut
 * before that would leave the beginning of one.
 */
export const withoutSecrets = (text: string, secrets: readonly Secret[]): string => {
  let clean = text;
  for (const each of secrets) clean = withoutValue(clean, each.reveal());
  return withoutEmail(clean.slice(0, longest).replace(/sk-ant-[\w-]+/gi, "***"));
};

/** `text` with stars for `value`, URL-encoded too. */
export const withoutValue = (text: string, value: string): string => {
  if (value.length < shortest) return text;
  const clean = text.includes(value) ? text.replaceAll(value, "***") : text;
  if (sameEncoded.test(value)) return clean;
  return clean.replaceAll(encodeURIComponent(value), "***");
};

// What no URL encoding touches: every token there is.
const sameEncoded = /^[\w\-.!~*'()]*$/;
