// The last line: a question or a message if there is one, else what the list shows and the keys that
// matter here. `?` and `q` never give way.
import { actionFor, bindings, placeOf } from "../keymap.ts";
import type { Binding } from "../keymap.ts";
import { visibleRequests } from "../panes/requests.ts";
import { joinFitting, safe, spread, widthOfAll } from "../text.ts";
import { segment } from "../theme.ts";
import type { Line, Segment } from "../theme.ts";
import type { View } from "../view.ts";

/** The footer; its last cell stays blank, because some consoles scroll when it is written. */
export const footerLine = (view: View): Line => {
  const { glyphs } = view;
  const width = view.layout.columns - 1;
  const said = saidIn(view);
  if (said !== null) return spread([segment(" "), said], [], width, glyphs);
  if (view.ui.prompt?.kind === "filter") return filterLine(view, width);
  const left = [segment(view.layout.breadth === "narrow" || view.layout.breadth === "tiny" ? "" : " "), ...listState(view)];
  if (view.layout.breadth === "tiny") return tinyFooter(left, width, view);
  return spread(left, hintSegments(view, width - widthOfAll(left) - 2), width, glyphs);
};

/** The question that waits for a key, or the message that is shown for a while; null when there is neither. */
export const saidIn = (view: View): Segment | null => question(view) ?? message(view);

// The keys first; what the list shows only where there is room beside them.
const tinyFooter = (left: readonly Segment[], width: number, view: View): Line => {
  const pinned = hintSegments(view, width).slice(0, 5);
  const fits = widthOfAll(pinned) + widthOfAll(left) + 1 <= width;
  return spread(pinned, fits ? left : [], width, view.glyphs);
};

const question = ({ ui, live, about }: View): Segment | null => {
  if (ui.freezeUntil !== null) return segment("This would freeze the proxy too. Detach tmux instead (prefix d), or press Ctrl+Z again.", "warning");
  if (ui.quitUntil !== null) return segment(`${live.requests.inFlight} open. q again: stop, up to ${about.drainSeconds}s to finish. Ctrl+C: now. Esc: stay.`, "warning");
  return live.server.status === "stopping" ? segment("Ctrl+C stops now, without waiting for open requests.", "warning") : null;
};

const message = ({ ui, glyphs }: View): Segment | null => (ui.message === null ? null : segment(safe(ui.message.text, glyphs), ui.message.tone));

const filterLine = ({ ui, glyphs }: View, width: number): Line =>
  spread([segment(" /", "accent"), segment(safe(ui.filter, glyphs)), segment("_", "accent")], [segment("Enter keep  Esc clear", "dim")], width, glyphs);

// What the list shows: follow or pause, filter, how many.
const listState = (view: View): readonly Segment[] => {
  const { ui, live } = view;
  const paused = ui.frozen === null ? [] : [segment(`PAUSED +${live.requests.total - ui.frozen.requests.total} new  `, "warning")];
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
  const hints = bindings.filter(({ hint, keys, action }) => hint !== "" && actionFor(keys[0] ?? "", place) === action);
  const first = pinned.flatMap((action) => hints.filter((binding) => binding.action === action));
  const rest = hints.filter((binding) => !first.includes(binding) && (binding.places?.includes(place) ?? true));
  return joinFitting([...first, ...rest].map((binding) => hintOf(binding, view)), width);
};

const hintOf = ({ keys, hint, action }: Binding, { ui }: View): readonly Segment[] => [
  segment(keys[0] ?? "", "accent"),
  segment(` ${action === "pause" && ui.frozen !== null ? "resume" : hint}`, "dim"),
];
