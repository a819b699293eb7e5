// Reads what a person pasted. Pure. Every way a paste goes wrong has its own sentence, and the text itself never gets into
// one: a sentence may be logged, a code may not.
import { joinedLines } from "../lib/joined-lines.ts";
import { sameText, secret } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";

export type PasteFault =
  | "sign-in-link"
  | "no-code-in-link"
  | "denied"
  | "key"
  | "incomplete"
  | "cut"
  | "foreign-state"
  | "too-long";

export type PastedCode =
  /** `state` is one of the expected ones. */
  | { readonly outcome: "code"; readonly code: Secret; readonly state: Secret }
  | { readonly outcome: "nothing" }
  | { readonly outcome: "bad-paste"; readonly code: PasteFault; readonly message: string };

export type ExpectedPaste = {
  /** One state per open link. */
  readonly states: readonly Secret[];
  /** The links themselves, to recognise one that was pasted back. */
  readonly links: readonly string[];
};

const longest = 4096;

const sentences: Readonly<Record<PasteFault, string>> = {
  "sign-in-link": "That is the sign-in link. Open it, then paste the code the page shows.",
  "no-code-in-link": "That link carries no code. Paste the code the page shows, or the address of the page it led to.",
  denied: "The sign-in was refused on the page. Open the link again and press Authorize.",
  key: "That is a key, not a login code. Nothing was stored.",
  incomplete: "Not complete: the part after # is missing. Use the Copy button on the page.",
  cut: "The code was cut when copying. Copy it again.",
  "foreign-state": "This code belongs to another sign-in attempt. Press o for a new page.",
  "too-long": "Too long.",
};

/** Takes `code#state`, the full callback address, or `code=…&state=…`; compares the state in constant time. */
export const readPastedCode = (pasted: string, expected: ExpectedPaste): PastedCode => {
  const trimmed = pasted.trim();
  if (trimmed.length > longest * 16) return tooLong(trimmed.length);
  const text = cleaned(trimmed);
  if (text === "") return { outcome: "nothing" };
  if (/sk-ant-/i.test(text)) return bad("key");
  if (text.length > longest) return tooLong(text.length);
  const query = queryIn(text);
  return query === null ? fromPair(text, expected) : fromQuery(text, query, expected);
};

// Bracketed-paste marks (with or without their escape), quotes of any script, control, zero-width and
// direction characters. None of these can be part of a code or an address.
/* oxlint-disable no-control-regex -- these are the characters to remove */
const noise: readonly RegExp[] = [
  /\u001b?\[20[01]~/g,
  /[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g,
  /["'`´‘’‚‛“”„‟«»‹›「」]/g,
];
/* oxlint-enable no-control-regex */

const cleaned = (text: string): string => noise.reduce((rest, pattern) => rest.replace(pattern, ""), joinedLines(text)).trim();

const queryIn = (text: string): URLSearchParams | null => {
  if (/^https?:/i.test(text)) {
    const url = URL.parse(text);
    return new URLSearchParams(url?.search ?? "");
  }
  return /^\??(?:code|state|error)=/.test(text) ? new URLSearchParams(text) : null;
};

const fromQuery = (text: string, query: URLSearchParams, expected: ExpectedPaste): PastedCode => {
  const isLink = /^https?:/i.test(text);
  if (isLink && isSignInLink(text, query, expected)) return bad("sign-in-link");
  if (/\s|…|\.\.\./u.test(text)) return bad("cut");
  if (query.has("error")) return bad("denied");
  const [code, state] = [onlyOne(query, "code"), onlyOne(query, "state")];
  if (code === null && state === null && isLink) return bad("no-code-in-link");
  return code === null || state === null ? bad("incomplete") : matched(code, state, expected);
};

// An authorize link has `code=true` and a state too, so it must be recognised before the code is read.
const isSignInLink = (text: string, query: URLSearchParams, { links }: ExpectedPaste): boolean =>
  query.has("code_challenge") || query.has("response_type") || links.some((link) => text === link || pageOf(text) === pageOf(link));

const pageOf = (link: string): string => link.split(/[?#]/, 1)[0] ?? "";

const onlyOne = (query: URLSearchParams, name: string): string | null => {
  const values = query.getAll(name);
  return values.length === 1 && values[0] !== "" ? (values[0] ?? null) : null;
};

const fromPair = (text: string, expected: ExpectedPaste): PastedCode => {
  const hash = text.indexOf("#");
  const [code, state] = [text.slice(0, Math.max(0, hash)).trimEnd(), text.slice(hash + 1).trimStart()];
  if (hash < 0 || code === "" || state === "") return bad("incomplete");
  return /\s|…|\.\.\./u.test(`${code}#${state}`) ? bad("cut") : matched(code, state, expected);
};

// Every state is compared, so that the time does not tell which one was close.
const matched = (code: string, state: string, { states }: ExpectedPaste): PastedCode => {
  const isExpected = states.map((open) => sameText(open.reveal(), state)).includes(true);
  return isExpected ? { outcome: "code", code: secret(code), state: secret(state) } : bad("foreign-state");
};

const bad = (code: PasteFault, message = sentences[code]): PastedCode => ({ outcome: "bad-paste", code, message });

const tooLong = (length: number): PastedCode => bad("too-long", `Too long (${length.toLocaleString("en-US").replaceAll(",", " ")} characters); expected about 100-200.`);
