// Known secrets out of texts, by value. A server that has been sent a token can write it into any field of its answer,
// and a field may be cut before it comes here: so a part of a secret is looked for, not only the whole of one. What one
// look costs depends on the length of the text and not on how many secrets there are.
import type { Secret } from "./secret.ts";

export type SecretFilter = {
  /** Hides `known` from now on, and for an hour what was known before. `now`: monotonic milliseconds. */
  update(known: Iterable<Secret>, now: number): void;
  /**
   * `text` with stars for every secret: as it is, in lower case, URL-encoded and in base64; for each part of one from 24
   * characters on, and for its first eight or more before the `…` of a text that was cut.
   */
  clean(text: string): string;
};

const stars = "***";

/** Shorter values would blank ordinary words. */
const shortestSecret = 8;

/** A shorter part in the middle of a text is not looked for: words and addresses would be among them. */
const shortestPart = 24;

/** Every part of that length holds a piece of this length that begins at a multiple of `step`. */
const pieceLength = 12;
const step = shortestPart - pieceLength + 1;

/** Of a longer secret its beginning is looked for. Fields from outside are cut before, and mostly far below. */
const longestIndexed = 512;

/** A request that was sent with the old token may still be answered. */
const rememberedMs = 3_600_000;
const mostRemembered = 64;

type Entry = { readonly forms: readonly string[]; seenAt: number };

export const createSecretFilter = (): SecretFilter => {
  /** By value: a store that is read again makes new objects of the same secrets. */
  const entries = new Map<string, Entry>();
  /** Pieces of all forms at every offset, with the number of places they occur at. */
  const pieces = new Map<string, number>();
  /** Forms that are too short to be looked for in parts. */
  const short = new Set<string>();
  let shortest = Infinity;

  const add = (value: string, seenAt: number): void => {
    const forms = formsOf(value);
    entries.set(value, { forms, seenAt });
    for (const form of forms) {
      shortest = Math.min(shortest, form.length, shortestPart);
      if (form.length < shortestPart) short.add(form);
      else for (const piece of piecesOf(form)) pieces.set(piece, (pieces.get(piece) ?? 0) + 1);
    }
  };

  const remove = (value: string, { forms }: Entry): void => {
    entries.delete(value);
    for (const form of forms) {
      short.delete(form);
      if (form.length < shortestPart) continue;
      for (const piece of piecesOf(form)) {
        const count = (pieces.get(piece) ?? 1) - 1;
        if (count === 0) pieces.delete(piece);
        else pieces.set(piece, count);
      }
    }
  };

  const forget = (now: number): void => {
    const replaced = [...entries].filter(([, { seenAt }]) => seenAt !== now);
    for (const [index, [value, entry]] of replaced.entries()) {
      if (now - entry.seenAt > rememberedMs || index < replaced.length - mostRemembered) remove(value, entry);
    }
  };

  const isClean = (text: string): boolean => {
    for (const form of short) if (text.includes(form)) return false;
    for (let start = 0; start + pieceLength <= text.length; start += step) if (pieces.has(text.slice(start, start + pieceLength))) return false;
    return true;
  };

  return {
    update(known, now) {
      let count = 0;
      for (const each of known) {
        const value = each.reveal();
        if (value.length < shortestSecret) continue;
        const entry = entries.get(value);
        if (entry === undefined) add(value, now);
        else entry.seenAt = now;
        count += 1;
      }
      if (entries.size > count) forget(now);
    },
    clean(text) {
      if ((text.length < shortest || isClean(text)) && !text.endsWith("…")) return text;
      const forms = [...entries.values()].flatMap((entry) => entry.forms);
      let clean = text;
      for (const form of short) clean = clean.replaceAll(form, stars);
      return withoutBeginning(withoutParts(clean, forms.filter((form) => form.length >= shortestPart)), forms);
    },
  };
};

const piecesOf = (form: string): readonly string[] => Array.from({ length: Math.min(form.length, longestIndexed) - pieceLength + 1 }, (_, start) => form.slice(start, start + pieceLength));

const formsOf = (value: string): readonly string[] => {
  const forms = [value, value.toLowerCase(), encodeURIComponent(value.toWellFormed()), ...[0, 1, 2].map((before) => base64(value, before))];
  return [...new Set([...forms, ...forms.slice(3).map((form) => form.replaceAll("+", "-").replaceAll("/", "_"))])].filter((form) => form.length >= shortestSecret);
};

/** What is the same in the base64 of every text that has `value` behind `before` bytes (modulo 3). */
const base64 = (value: string, before: number): string => {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)]);
  return bytes.toString("base64").slice(before === 0 ? 0 : before + 1, Math.floor((bytes.length * 8) / 6));
};

// Rare, and so it may be slower: which form it was is found out only now.
const withoutParts = (text: string, forms: readonly string[]): string => {
  const hidden: (readonly [start: number, end: number])[] = [];
  for (let at = 0; at + pieceLength <= text.length; at += step) {
    const piece = text.slice(at, at + pieceLength);
    for (const form of forms) {
      for (let place = form.indexOf(piece); place !== -1; place = form.indexOf(piece, place + 1)) {
        const part = commonPart(text, at, form, place);
        if (part[1] - part[0] >= shortestPart) hidden.push(part);
      }
    }
  }
  let clean = "";
  let from = 0;
  for (const [start, end] of hidden.toSorted(([left], [right]) => left - right)) {
    if (start > from || (start === 0 && from === 0)) clean += text.slice(from, start) + stars;
    from = Math.max(from, end);
  }
  return clean + text.slice(from);
};

/** A cut leaves the beginning of a secret, and that may be short. */
const withoutBeginning = (text: string, forms: readonly string[]): string => {
  if (!text.endsWith("…")) return text;
  const kept = text.slice(0, -1);
  for (let length = Math.min(kept.length, shortestPart); length >= shortestSecret; length -= 1) {
    const end = kept.slice(-length);
    if (forms.some((form) => form.startsWith(end))) return `${kept.slice(0, -length)}${stars}…`;
  }
  return text;
};

/** The longest part of `text` around `at` that is in `form` around `place` too. */
const commonPart = (text: string, at: number, form: string, place: number): readonly [start: number, end: number] => {
  let before = 0;
  while (before < at && before < place && text[at - before - 1] === form[place - before - 1]) before += 1;
  let length = 0;
  while (at + length < text.length && place + length < form.length && text[at + length] === form[place + length]) length += 1;
  return [at - before, at + length];
};
