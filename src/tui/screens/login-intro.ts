// What is written once, raw, above the paste field. The link stands alone at column 0 without colour or
// padding: only then a terminal joins its soft-wrapped rows again when it is copied (measured in tmux).
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

/** The whole text with `\n` line ends. */
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
  const text = wide ? `Short form on this machine (or through ssh -L ${port}:localhost:${port}):` : "or on this machine:";
  return [`   ${text}  ${shortUrl}`, ""];
};

const narrow = ({ shortUrl }: LoginAttempt, link: string): readonly string[] => [
  "",
  link,
  "",
  "Sign in: open the link above, or",
  ...(shortUrl === null ? [] : [` ${shortUrl}`]),
  " u = full link to a file, c = copy",
  "and paste the WHOLE code, with its #.",
];
