// What may be shown of a pasted code: its first four characters, its length, and whether its state is
// the one that belongs to this sign-in. Pure. Never more, whatever was pasted.
import { sameText } from "../../lib/secret.ts";
import { visibleText } from "../../lib/visible-text.ts";
import type { LoginAttempt } from "../../messages/commands.ts";

/** The states of the attempt's own links; a code comes back with one of them. */
export const statesOf = ({ authorizeUrl, browserUrl }: Pick<LoginAttempt, "authorizeUrl" | "browserUrl">): readonly string[] =>
  [authorizeUrl, browserUrl ?? ""].map((link) => URL.parse(link)?.searchParams.get("state") ?? "").filter((state) => state !== "");

/** A line break goes with the blanks around it: a wrapped row is copied with its padding. */
export const withoutBreaks = (text: string): string => text.replace(/[ \t]*[\r\n]+[ \t]*/g, "");

/** The text of the field: `aB3x...(131)#9f3c ok`, or `aB3x...(52 characters)` without a state. */
export const maskPaste = (pasted: string, states: readonly string[]): string => {
  const text = withoutBreaks(pasted).trim();
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
