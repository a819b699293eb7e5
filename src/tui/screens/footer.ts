// The last line: a question or a message if there is one, else what the list shows and the keys that
// matter here. `?` and `q` never give way.
import { bindings, placeOf, worksIn } from "../keymap.ts";
import type { Binding } from "../keymap.ts";
import { visibleRequests } from "../panes/requests.ts";
import { fit, joinFitting, safe, spread, widthOfAll } from "../text.ts";
import { alertLine, indented, segment } from "../theme.ts";
import type { Line, Segment } from "../theme.ts";
import type { View } from "../view.ts";

/** The footer; its last cell stays blank, because some consoles scroll when it is written. */
export const footerLine = (view: View): Line => {
  const { glyphs } = view;
  const width = view.layout.columns - 1;
  const notice = noticeIn(view);
  if (notice !== null) return fit(indented(notice, 1), width, glyphs);
  if (view.ui.prompt?.kind === "filter") return filterLine(view, width);
  const left = [segment(view.layout.breadth === "narrow" || view.layout.breadth === "tiny" ? "" : " "), ...listState(view)];
  if (view.layout.breadth === "tiny") return tinyFooter(left, width, view);
  return spread(left, hintSegments(view, width - widthOfAll(left) - 2), width, glyphs);
};

/** The question that waits for a key, or the message that is shown for a while; null when there is neither. */
export const noticeIn = (view: View): Line | null => question(view) ?? message(view);

// The keys first; what the list shows only where there is room beside them.
const tinyFooter = (left: readonly Segment[], width: number, view: View): Line => {
  const pinned = hintSegments(view, width).slice(0, 5);
  const fits = widthOfAll(pinned) + widthOfAll(left) + 1 <= width;
  return spread(pinned, fits ? left : [], width, view.glyphs);
};

const question = ({ ui, live, about }: View): Line | null => {
  if (ui.suspendUntil !== null) return alertLine("warning", "This would freeze the proxy too. Detach tmux instead (prefix d), or press Ctrl+Z again.");
  if (ui.quitUntil !== null) return alertLine("warning", `${live.requests.inFlight} open. q again: stop, up to ${about.drainSeconds}s to finish. Ctrl+C: now. Esc: stay.`);
  return live.server.status === "stopping" ? alertLine("warning", "Ctrl+C stops now, without waiting for open requests.") : null;
};

const message = ({ ui, glyphs }: View): Line | null => (ui.message === null ? null : alertLine(ui.message.alert, safe(ui.message.text, glyphs)));

const filterLine = ({ ui, glyphs }: View, width: number): Line =>
  spread([segment(" /", "accent"), segment(safe(ui.filter, glyphs)), segment("_", "accent")], [segment("Enter keep  Esc clear", "dim")], width, glyphs);

// What the list shows: follow or pause, filter, how many.
const listState = (view: View): readonly Segment[] => {
  const { ui, live } = view;
  const paused = ui.paused === null ? [] : [segment(`PAUSED +${live.requests.total - ui.paused.requests.total} new  `, "warning")];
  const other = ui.overlay === null ? (ui.pane === "requests" ? null : paneCount(view)) : ui.overlay.kind.toUpperCase();
  if (other !== null) return [...paused, segment(other, "strong")];
  const narrowed = narrowing(view);
  return paused.length > 0 || narrowed.length > 0 ? [...paused, ...narrowed] : position(view);
};

const narrowing = (view: View): readonly Segment[] => {
  const { ui, glyphs, shown } = view;
  if (!ui.errorsOnly && ui.filter === "") return [];
  const filter = ui.filter === "" ? "" : `/${safe(ui.filter, glyphs)} `;
  return [segment(ui.errorsOnly ? "ERRORS " : "", "warning"), segment(filter, "accent"), segment(`${visibleRequests(view).length} of ${shown.requests.rows.length}`)];
};

const position = (view: View): readonly Segment[] => {
  const { ui } = view;
  const rows = visibleRequests(view);
  if (ui.follow) return [segment("FOLLOW", "good"), segment(` ${rows.length}`)];
  return [segment(`ROW ${Math.max(0, rows.findIndex(({ id }) => id === ui.selected.requests)) + 1}/${rows.length}`)];
};

const paneCount = ({ ui, shown }: View): string => {
  const count = { requests: shown.requests.rows, sessions: shown.sessions, accounts: shown.accounts, events: shown.activity }[ui.pane].length;
  return `${ui.pane.toUpperCase()} ${count}`;
};

// Quit and help come first and always; the others in the order of the table, as far as they fit.
const hintSegments = (view: View, width: number): readonly Segment[] => {
  const place = placeOf(view.ui);
  const pinned = view.layout.breadth === "narrow" || view.layout.breadth === "tiny" ? ["help", "quit"] : ["quit", "help"];
  const hinted = bindings.filter((binding) => binding.hint !== undefined && worksIn(binding, place));
  const first = pinned.flatMap((name) => hinted.filter((binding) => binding.name === name));
  return joinFitting([...first, ...hinted.filter((binding) => !first.includes(binding))].map((binding) => hintOf(binding, view)), width);
};

const hintOf = ({ keys, hint = "" }: Binding, { ui }: View): readonly Segment[] => [segment(keys[0] ?? "", "accent"), segment(` ${typeof hint === "string" ? hint : hint(ui)}`, "dim")];
