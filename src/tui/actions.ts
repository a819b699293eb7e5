// What the longer keys of the table do. They call the program's commands, the same ones that the HTTP API and the
// command line call; what comes of them is seen in the events.
import { secret } from "../lib/secret.ts";
import { clockMinute } from "../lib/units.ts";
import { visibleText } from "../lib/visible-text.ts";
import type { RefreshOutcome } from "../messages/commands.ts";
import { leadingAccount, tokenState } from "../state/select.ts";
import type { AccountRow, RequestRow } from "../state/state.ts";
import type { ControllerContext } from "./controller.ts";
import { curlCommand, setupLines } from "./setup-lines.ts";

/** How long a question waits for its second key, milliseconds. */
const questionMs = 3000;

/** Stops the program, after a question while requests are open. `at-once`: a second key cuts the drain short. */
export const confirmQuit = ({ deps, ui, dispatch }: ControllerContext, how: "drain" | "at-once"): void => {
  // What fails in stopping is reported by the program, not by its screen.
  const stop = (): void => void deps.app.commands.stop("asked for on the screen").catch(() => {});
  const { server, requests } = deps.app.store.snapshot();
  if (server.status === "stopping") return how === "at-once" ? stop() : undefined;
  const asked = ui().quitUntil !== null;
  if (requests.inFlight > 0 && !asked) return dispatch({ type: "ask-quit", until: deps.clock.now() + questionMs });
  dispatch({ type: "back" });
  stop();
  if (how === "at-once" && asked) stop();
};

/** Stops the whole process until the shell continues it, after a question. */
export const suspend = ({ deps, ui, dispatch, say }: ControllerContext): void => {
  if (ui().suspendUntil === null) return dispatch({ type: "ask-suspend", until: deps.clock.now() + questionMs });
  dispatch({ type: "back" });
  deps.suspend().catch(() => say("This system cannot stop a process and continue it.", "warning"));
};

/** The request whose details are open; undefined when it is no longer in memory. */
export const openRequest = ({ ui, view }: ControllerContext): RequestRow | undefined => {
  const { overlay } = ui();
  return overlay?.kind === "request" ? view().shown.requests.rows.find(({ id }) => id === overlay.id) : undefined;
};

/** Copies the id of the open request, else the lines that set up Claude Code. */
export const copyForPlace = (context: ControllerContext): void => {
  const row = openRequest(context);
  if (row === undefined) copy(context, `${setupLines(context.view()).join("\n")}\n`, "set-up lines");
  else copy(context, row.upstreamRequestId ?? row.id, "request id");
};

export const copyCurl = (context: ControllerContext): void => {
  const row = openRequest(context);
  if (row !== undefined) copy(context, curlCommand(row, context.view()), "curl");
};

const copy = ({ deps, say }: ControllerContext, text: string, what: string): void => {
  void deps.copy(text).then(
    ({ ok, message }) => say(`${what}: ${message}`, ok ? "good" : "warning"),
    () => say(`${what}: could not be copied`, "warning"),
  );
};

/** The account the person looks at: selected in its pane, or open in detail. */
export const accountOf = ({ view, selectedId }: ControllerContext): AccountRow | undefined => {
  const { ui: { overlay, pane }, live } = view();
  const id = overlay?.kind === "account" ? overlay.id : pane === "accounts" ? selectedId() : null;
  return live.accounts.find((account) => account.id === id);
};

export const refresh = (context: ControllerContext): void => {
  const { deps, say, perform } = context;
  const accountId = accountOf(context)?.id ?? null;
  say("refreshing ...", "busy");
  perform(async () => refreshed(await deps.app.commands.refresh(accountId), deps.clock.now()));
};

const refreshed = (result: RefreshOutcome, now: number): string => {
  if (result.outcome === "failed") throw new Error(`Refresh failed: ${result.message}`);
  const until = result.expiresAt === null ? "" : `, valid until ${clockMinute(result.expiresAt, now)}`;
  return `${result.outcome === "adopted" ? "Another process had refreshed it" : "Token refreshed"}${until}`;
};

/** Signs in the account the person looks at, else one that is signed out, else the one in the header. */
export const login = (context: ControllerContext): void => {
  const { deps } = context;
  const { accounts } = deps.app.store.snapshot();
  const now = deps.clock.now();
  const signedOut = accounts.find((account) => tokenState(account, now) === "needs-login");
  const account = accountOf(context) ?? signedOut ?? leadingAccount(accounts, now);
  deps.login(account?.kind === "oauth" ? account.id : null);
};

/** Enables a disabled account, and the other way round. */
export const setEnabled = (context: ControllerContext): void => {
  const account = accountOf(context);
  if (account === undefined) return;
  context.perform(async () => {
    await context.deps.app.commands.setEnabled(account.id, !account.enabled);
    return `${account.id} ${account.enabled ? "disabled" : "enabled"}`;
  });
};

/** The answer to the open prompt; null or nothing cancels. */
export const answerPrompt = ({ deps, ui, dispatch, perform }: ControllerContext, text: string | null): void => {
  const { prompt } = ui();
  dispatch({ type: "answered" });
  if (prompt === null || prompt.kind === "filter" || text === null || text.trim() === "") return;
  const { commands } = deps.app;
  const given = text.trim();
  perform(async () => {
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
