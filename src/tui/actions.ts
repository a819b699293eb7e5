// What each action of the key table does. Wishes go to the program's commands, the same ones that the
// HTTP API and the command line call; what comes of them is seen in the events.
import { visibleText } from "../lib/visible-text.ts";
import { secret } from "../lib/secret.ts";
import type { RefreshOutcome } from "../messages/commands.ts";
import { leadingAccount, tokenState } from "../state/select.ts";
import type { AccountRow } from "../state/state.ts";
import { clockMinute } from "../lib/units.ts";
import type { Room } from "./controller.ts";
import type { ActionName } from "./keymap.ts";
import { listingOf, selectedId } from "./screens/dashboard.ts";
import { overlayHeight, overlayText } from "./screens/overlay.ts";
import { curlCommand, setupLines } from "./setup-lines.ts";
import type { Movement, Overlay, Pane } from "./ui-state.ts";

export type Actions = {
  run(action: ActionName): void;
  /** The answer to the open prompt; null cancels. */
  answer(text: string | null): void;
};

/** How long a question waits for its second key, milliseconds. */
const questionMs = 3000;

export const createActions = (room: Room): Actions => {
  const table: Readonly<Record<ActionName, () => void>> = { ...movements(room), ...screens(room), ...endings(room), ...wishes(room), ...accountActions(room) };
  return { run: (action) => table[action](), answer: (text) => answer(room, text) };
};

type Some<T extends ActionName> = Readonly<Record<T, () => void>>;

const movements = (room: Room): Some<"down" | "up" | "page-down" | "page-up" | "start" | "end"> => {
  const go = (how: Movement): void => {
    const view = room.view();
    if (view.ui.overlay !== null) return room.dispatch({ type: "scroll", how, last: overlayText(view).length - overlayHeight(view) });
    room.dispatch({ type: "move", how, ids: listingOf(view).ids.filter((id) => id !== null) });
  };
  const page = (): number => Math.max(1, room.view().layout.list - 1);
  return {
    down: () => go({ by: 1 }),
    up: () => go({ by: -1 }),
    "page-down": () => go({ by: page() }),
    "page-up": () => go({ by: -page() }),
    start: () => go({ to: "start" }),
    end: () => go({ to: "end" }),
  };
};

const overlays: Readonly<Record<Pane, Exclude<Overlay["kind"], "help">>> = { requests: "request", sessions: "session", accounts: "account", events: "event" };

type ScreenActions = "help" | "open" | "back" | "next-pane" | "previous-pane" | "pane-1" | "pane-2" | "pane-3" | "pane-4" | "filter" | "errors" | "follow" | "pause" | "clear" | "redraw";

const screens = (room: Room): Some<ScreenActions> => {
  const { dispatch } = room;
  const show = (pane: Pane) => () => dispatch({ type: "show-pane", pane });
  return {
    help: () => dispatch(room.ui().overlay?.kind === "help" ? { type: "back" } : { type: "open", overlay: { kind: "help" } }),
    open() {
      const view = room.view();
      const id = selectedId(view);
      if (id !== null) dispatch({ type: "open", overlay: { kind: overlays[view.ui.pane], id } });
    },
    back: () => dispatch({ type: "back" }),
    "next-pane": () => dispatch({ type: "turn-pane", by: 1 }),
    "previous-pane": () => dispatch({ type: "turn-pane", by: -1 }),
    "pane-1": show("requests"),
    "pane-2": show("sessions"),
    "pane-3": show("accounts"),
    "pane-4": show("events"),
    filter: () => dispatch({ type: "ask", prompt: { kind: "filter" } }),
    errors: () => dispatch({ type: "toggle-errors" }),
    follow: () => dispatch({ type: "toggle-follow" }),
    pause: () => dispatch({ type: "toggle-pause", picture: room.deps.app.store.snapshot() }),
    clear: () => dispatch({ type: "clear", at: room.deps.clock.now() }),
    redraw: () => room.deps.redraw(),
  };
};

const endings = (room: Room): Some<"quit" | "interrupt" | "freeze"> => {
  const { deps, dispatch } = room;
  // A second stop cuts the drain short. What fails in stopping is told by the program, not by its screen.
  const stop = (): void => void deps.app.commands.stop("asked for on the screen").catch(() => {});
  const leave = (atOnce: boolean): void => {
    const { server, requests } = deps.app.store.snapshot();
    if (server.status === "stopping") return atOnce ? stop() : undefined;
    const asked = room.ui().quitUntil !== null;
    if (requests.inFlight > 0 && !asked) return dispatch({ type: "ask-quit", until: deps.clock.now() + questionMs });
    dispatch({ type: "back" });
    stop();
    if (atOnce && asked) stop();
  };
  return {
    quit: () => leave(false),
    interrupt: () => leave(true),
    freeze() {
      if (room.ui().freezeUntil === null) return dispatch({ type: "ask-freeze", until: deps.clock.now() + questionMs });
      dispatch({ type: "back" });
      deps.freeze().catch(() => room.say("This system cannot stop a process and continue it.", "warning"));
    },
  };
};

const wishes = (room: Room): Some<"copy" | "curl" | "refresh" | "login"> => {
  const { deps } = room;
  const copy = (text: string, what: string): void => {
    void deps.copy(text).then(
      ({ ok, message }) => room.say(`${what}: ${message}`, ok ? "good" : "warning"),
      () => room.say(`${what}: could not be copied`, "warning"),
    );
  };
  const openRequest = () => {
    const { overlay } = room.ui();
    return overlay?.kind === "request" ? room.view().shown.requests.rows.find(({ id }) => id === overlay.id) : undefined;
  };
  return {
    copy() {
      const row = openRequest();
      if (row !== undefined) copy(row.upstreamRequestId ?? row.id, "request id");
      else copy(`${setupLines(room.view()).join("\n")}\n`, "set-up lines");
    },
    curl() {
      const row = openRequest();
      if (row !== undefined) copy(curlCommand(row, room.view()), "curl");
    },
    refresh() {
      const accountId = chosenAccount(room)?.id ?? null;
      room.say("refreshing ...", "accent");
      room.wish(async () => refreshed(await deps.app.commands.refresh(accountId), deps.clock.now()));
    },
    login() {
      const { accounts } = deps.app.store.snapshot();
      const now = deps.clock.now();
      const signedOut = accounts.find((account) => tokenState(account, now) === "needs-login");
      const account = chosenAccount(room) ?? signedOut ?? leadingAccount(accounts, now);
      deps.login(account?.kind === "oauth" ? account.id : null);
    },
  };
};

const refreshed = (result: RefreshOutcome, now: number): string => {
  if (result.outcome === "failed") throw new Error(`Refresh failed: ${result.message}`);
  const until = result.expiresAt === null ? "" : `, valid until ${clockMinute(result.expiresAt, now)}`;
  return `${result.outcome === "adopted" ? "Another process had refreshed it" : "Token refreshed"}${until}`;
};

// The account the person looks at: selected in its pane, or open in detail.
const chosenAccount = (room: Room): AccountRow | undefined => {
  const view = room.view();
  const { overlay, pane } = view.ui;
  const id = overlay?.kind === "account" ? overlay.id : pane === "accounts" ? selectedId(view) : null;
  return view.live.accounts.find((account) => account.id === id);
};

const accountActions = (room: Room): Some<"toggle-account" | "rename" | "priority" | "remove" | "add-account" | "add-key"> => {
  const { deps, dispatch } = room;
  const ask = (kind: "rename" | "priority" | "remove") => () => {
    const account = chosenAccount(room);
    if (account !== undefined) dispatch({ type: "ask", prompt: { kind, accountId: account.id } });
  };
  return {
    "toggle-account"() {
      const account = chosenAccount(room);
      if (account === undefined) return;
      room.wish(async () => {
        await deps.app.commands.setEnabled(account.id, !account.enabled);
        return `${account.id} ${account.enabled ? "disabled" : "enabled"}`;
      });
    },
    rename: ask("rename"),
    priority: ask("priority"),
    remove: ask("remove"),
    "add-account": () => deps.login(null),
    "add-key": () => dispatch({ type: "ask", prompt: { kind: "add-key" } }),
  };
};

const answer = (room: Room, text: string | null): void => {
  const { prompt } = room.ui();
  room.dispatch({ type: "answered" });
  if (prompt === null || prompt.kind === "filter" || text === null || text.trim() === "") return;
  const { commands } = room.deps.app;
  const given = text.trim();
  room.wish(async () => {
    switch (prompt.kind) {
      case "rename":
        await commands.rename(prompt.accountId, visibleText(given, 60));
        return "renamed";
      case "priority":
        await commands.setPriority(prompt.accountId, wholeNumber(given));
        return "priority changed";
      case "remove":
        await commands.logout(prompt.accountId);
        return "account removed";
      case "add-key":
        return `added ${(await commands.addApiKey({ key: secret(given) })).accountId}`;
    }
  });
};

const wholeNumber = (text: string): number => {
  if (!/^-?\d{1,6}$/.test(text)) throw new Error("A priority is a whole number; lower comes first.");
  return Number(text);
};
