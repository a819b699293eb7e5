// Text of the sign-in that is not the form: what is written once above the field, and the mask that stands in the
// field for what was pasted. Pure.
import { joinedLines } from "../../lib/joined-lines.ts";
import { sameText } from "../../lib/secret.ts";
import { visibleText } from "../../lib/visible-text.ts";
import type { LoginAttempt } from "../../messages/commands.ts";
import { wrap } from "../text.ts";

export type IntroFacts = {
  readonly attempt: LoginAttempt;
  readonly version: string;
  /** One clause on why a sign-in is needed. */
  readonly reason: string;
  readonly columns: number;
};

/**
 * The whole text with `\n` line ends. The link stands alone at column 0 without colour or padding: only then a
 * terminal joins its soft-wrapped rows again when it is copied (measured in tmux).
 */
export const loginIntro = ({ attempt, version, reason, columns }: IntroFacts): string => {
  const link = visibleText(attempt.authorizeUrl, 16_384);
  const head = `claude-oauth-proxy ${version}`;
  if (columns < 76) return lines([head, ...narrow(attempt, link)]);
  const wide = columns >= 100;
  return lines([
    ...(head.length + reason.length + 3 < columns ? [`${head}  ${reason}`] : [head, ...wrap(reason, columns - 1)]),
    "",
    `1. Open this link in a browser (any machine), sign in, press Authorize:`,
    "",
    link,
    "",
    ...shortForm(attempt, wide),
    wide
      ? "2. The page shows a code like  abc...#9f3c...  Copy ALL of it, with the # part, and paste it here."
      : "2. Copy the WHOLE code (with the # part) and paste it here.",
    "",
  ]);
};

const lines = (rows: readonly string[]): string => `${rows.join("\n")}\n`;

const shortForm = ({ shortUrl }: LoginAttempt, wide: boolean): readonly string[] => {
  if (shortUrl === null) return [];
  const port = URL.parse(shortUrl)?.port ?? "";
  const text = wide ? `On this machine, or with ssh -L ${port}:localhost:${port}:` : "or on this machine:";
  return [`   ${text}  ${shortUrl}`, ""];
};

const narrow = ({ shortUrl }: LoginAttempt, link: string): readonly string[] => [
  "",
  link,
  "",
  "Sign in: open the link above, or",
  ...(shortUrl === null ? [] : [shortUrl]),
  " u = full link to a file, c = copy",
  "and paste the WHOLE code, with its #.",
];


/**
 * What may be shown of a pasted code: its first four characters, its length, and whether its state is the one that
 * belongs to this sign-in: `aB3x...(131)#9f3c ok`, or `aB3x...(52 characters)` without a state. Never more,
 * whatever was pasted.
 */
export const maskPaste = (pasted: string, states: readonly string[]): string => {
  const text = joinedLines(pasted).trim();
  if (text.length <= 4) return "*".repeat(text.length);
  const start = `${visibleText(text.slice(0, 4))}...`;
  const state = stateIn(text);
  if (state === null) return `${start}(${text.length} characters)`;
  const matches = states.some((own) => sameText(own, state));
  return `${start}(${text.length})#${matches ? `${visibleText(state.slice(0, 4))} ok` : " differs"}`;
};

const stateIn = (text: string): string | null => {
  if (/^https?:/i.test(text)) return URL.parse(text)?.searchParams.get("state") ?? null;
  if (/^\??(?:code|state)=/.test(text)) return new URLSearchParams(text).get("state");
  const hash = text.indexOf("#");
  return hash < 0 ? null : text.slice(hash + 1);
};
