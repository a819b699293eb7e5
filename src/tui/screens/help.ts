// The text of `?`: made from the key table, so that it cannot say anything else.
import { span } from "../../state/words.ts";
import { padEnd, widthOf } from "../format/width.ts";
import { wrap } from "../format/wrap.ts";
import { bindings } from "../keymap.ts";
import { emptyLine, lineOf, segment } from "../theme.ts";
import type { Line } from "../theme.ts";
import type { View } from "../view.ts";

/** All lines of the help, for a width of `width` columns. */
export const helpLines = (view: View, width: number): readonly Line[] => [
  lineOf(segment(" Keys", "strong")),
  ...bindings.filter(({ help }) => help !== "").flatMap(({ keys, help }) => entry(keys.join(" "), help, width, view)),
  emptyLine,
  ...facts(view).map((text) => lineOf(segment(` ${text}`, "dim"))),
];

const keyColumn = 10;

const entry = (keys: string, help: string, width: number, { glyphs }: View): readonly Line[] =>
  wrap(help, Math.max(10, width - keyColumn - 2)).map((row, index) =>
    lineOf(segment(` ${padEnd(index === 0 ? keys : "", Math.max(keyColumn, index === 0 ? widthOf(keys) : 0), glyphs)} `, "accent"), segment(row)),
  );

const facts = ({ live, now, memory, about }: View): readonly string[] => [
  `claude-oauth-proxy ${live.server.version}, mode ${live.server.mode}, upstream ${about.upstream}`,
  ...(live.server.startedAt === null ? [] : [`up ${span(now - live.server.startedAt)}${memory === null ? "" : `, memory ${Math.round(memory / 1_048_576)} MB`}`]),
  `also: ${about.program} status | doctor | env | run -- COMMAND`,
];
