// What a key press means in the state the screen is in: text of the filter, answer to a question, or an
// action of the key table.
import type { Actions } from "./actions.ts";
import type { Room } from "./controller.ts";
import { actionFor, keyName, placeOf } from "./keymap.ts";
import type { ActionName, KeyReport } from "./keymap.ts";

type Press = { readonly input: string; readonly key: KeyReport & { readonly backspace?: boolean; readonly delete?: boolean } };

/** Does what one key, or a piece of text that arrived as one, asks for. */
export const pressed = (room: Room, actions: Actions, press: Press): void => {
  const { prompt } = room.ui();
  if (prompt?.kind === "filter") return editFilter(room, actions, press);
  const name = keyName(press.input, press.key);
  // The inputs of the other prompts read the keys themselves.
  if (prompt !== null) return name === "Esc" || name === "Ctrl+C" ? actions.answer(null) : undefined;
  if (name === null) return typedAhead(room, actions, press.input);
  const action = actionFor(name, placeOf(room.ui()));
  if (!answersQuestion(room, action) && action !== null) actions.run(action);
};

// An open question takes its own key as yes. Any other key is a no, and then means what it always means;
// Esc means no and nothing else. True when there is nothing left to do.
const answersQuestion = (room: Room, action: ActionName | null): boolean => {
  const { quitUntil, freezeUntil } = room.ui();
  if (quitUntil === null && freezeUntil === null) return false;
  const yes = quitUntil === null ? ["freeze"] : ["quit", "interrupt"];
  if (action !== null && yes.includes(action)) return false;
  room.dispatch({ type: "back" });
  return action === "back";
};

// A slow line delivers several keys in one piece: the same key held down, or a filter typed quickly.
// Anything else of several characters is a paste that strayed here, and does nothing.
const typedAhead = (room: Room, actions: Actions, input: string): void => {
  const [first = ""] = input;
  const action = input.length < 2 ? null : actionFor(first, placeOf(room.ui()));
  if (action === "filter") {
    actions.run("filter");
    typeFilter(room, input.slice(1));
  } else if (action !== null && repeatable.includes(action) && [...input].every((character) => character === first)) {
    for (let count = Math.min(input.length, 50); count > 0; count -= 1) actions.run(action);
  }
};

const repeatable: readonly ActionName[] = ["up", "down", "quit"];

const longestFilter = 60;

/** Text as it may stand in the filter. */
// oxlint-disable-next-line no-control-regex -- control characters are what is taken out
export const filterText = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "").slice(0, longestFilter);

const editFilter = (room: Room, actions: Actions, { input, key }: Press): void => {
  const { filter } = room.ui();
  const name = keyName(input, key);
  const edits: Readonly<Record<string, () => void>> = {
    Esc: () => room.dispatch({ type: "back" }),
    Enter: () => room.dispatch({ type: "answered" }),
    "Ctrl+C": () => actions.run("interrupt"),
    "Ctrl+U": () => room.dispatch({ type: "filter", text: "" }),
  };
  const edit = edits[name ?? ""];
  if (edit !== undefined) edit();
  else if (key.backspace === true || key.delete === true) room.dispatch({ type: "filter", text: [...filter].slice(0, -1).join("") });
  else if (!key.ctrl && !key.meta) typeFilter(room, input);
};

// Text and Enter may arrive in one piece.
const typeFilter = (room: Room, text: string): void => {
  room.dispatch({ type: "filter", text: filterText(room.ui().filter + text) });
  if (/[\r\n]$/.test(text)) room.dispatch({ type: "answered" });
};
