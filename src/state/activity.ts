// The lines of the Events pane: newest last, at most 1000. The same sentence again and again (a client
// that hammers with a wrong key) is one line with a count.
import type { Event } from "../messages/events.ts";
import type { ActivityLine } from "./state.ts";

export const maxLines = 1000;

/** What is worth a line, before it has a time. */
export type Note = Pick<ActivityLine, "tone" | "text">;

/** Mutable while one batch is folded; `lines` is null until the first new one. */
export type ActivityDraft = { readonly before: readonly ActivityLine[]; lines: ActivityLine[] | null };

export const openActivity = (before: readonly ActivityLine[]): ActivityDraft => ({ before, lines: null });

export const appendLine = (draft: ActivityDraft, event: Event, { tone, text }: Note): void => {
  draft.lines ??= [...draft.before];
  const line: ActivityLine = { seq: event.seq, at: event.at, tone, type: event.type, text };
  const last = draft.lines.at(-1);
  const times = last === undefined || last.type !== line.type ? 0 : timesSaid(last.text, text);
  if (times === 0) draft.lines.push(line);
  else draft.lines[draft.lines.length - 1] = { ...line, text: `${text} (x${times + 1})` };
};

export const closeActivity = ({ before, lines }: ActivityDraft): readonly ActivityLine[] => {
  if (lines === null) return before;
  return lines.length > maxLines ? lines.slice(-maxLines) : lines;
};

const timesSaid = (earlier: string, text: string): number => {
  if (!earlier.startsWith(text)) return 0;
  if (earlier.length === text.length) return 1;
  return Number(/^ \(x(\d+)\)$/.exec(earlier.slice(text.length))?.[1] ?? 0);
};
