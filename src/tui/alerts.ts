// Calls a person, and only when a person is needed: to sign in again, or to free a full disk. One call for each
// cause, not one for each frame.
import { canServe, tokenState } from "../state/select.ts";
import type { AppState } from "../state/state.ts";
import type { View } from "./view.ts";

export type Notify = "none" | "bell" | "osc9";

export type AlertsDeps = {
  readonly write: (text: string) => void;
  readonly notify: Notify;
  /** The terminal has a title that can be set. */
  readonly titled: boolean;
};

export type Alerts = {
  /** Looks at what is drawn: calls when a person is needed who was not needed before, and keeps the title true. */
  look(view: Pick<View, "live" | "now">): void;
  /** Remembers the title of before, and sets ours. */
  open(state: AppState): void;
  /** Brings the title of before back. */
  close(): void;
};

/** Writes to the terminal only what calls a person, and the title. */
export const createAlerts = ({ write, notify, titled }: AlertsDeps): Alerts => {
  let known: readonly string[] = [];
  const writeTitle = ({ server }: AppState, before = ""): void => (titled ? write(before + titleBytes(server.port, known.length > 0)) : undefined);
  return {
    look({ live, now }) {
      const current = causes(live, now);
      const fresh = newCauses(known, current);
      const turned = current.length > 0 !== known.length > 0;
      known = current;
      if (fresh.length > 0) write(callBytes(notify));
      if (turned) writeTitle(live);
    },
    open: (state) => writeTitle(state, saveTitle),
    close: () => (titled ? write(restoreTitle) : undefined),
  };
};

/** Why a person is needed, one entry for each cause; empty while the program manages by itself. Plain words, no account names: a title is seen by others. */
export const causes = (state: AppState, now: number): readonly string[] => {
  if (state.server.status !== "running" || state.server.mode === "pass-through") return [];
  const signedOut = state.accounts.filter((account) => tokenState(account, now) === "needs-login");
  const none = state.accounts.length > 0 && !state.accounts.some((account) => canServe(account, now));
  const notice = state.activity.findLast(({ type, tone, at }) => type === "notice" && tone === "error" && at > now - 5 * 60_000);
  return [
    ...signedOut.map(({ id }) => `sign-in:${id}`),
    ...(state.accounts.length === 0 ? ["sign-in"] : []),
    ...(none && signedOut.length === 0 ? ["no-account"] : []),
    ...(notice === undefined ? [] : [`notice:${notice.seq}`]),
  ];
};

/** Causes of `after` that `before` did not have. */
export const newCauses = (before: readonly string[], after: readonly string[]): readonly string[] => after.filter((cause) => !before.includes(cause));

/** The bytes that call: BEL, or the notification that iTerm2, kitty, WezTerm, Ghostty and Windows Terminal know. */
export const callBytes = (notify: Notify): string => {
  if (notify === "none") return "";
  return notify === "bell" ? "\u0007" : "\u001b]9;claude-oauth-proxy needs you\u0007";
};

/** Sets the title, with a mark while a person is needed. The port says which of several it is; no account name. */
export const titleBytes = (port: number | null, needed: boolean): string => `\u001b]0;${needed ? "! " : ""}claude-oauth-proxy${port === null ? "" : ` :${port}`}\u0007`;

// XTWINOPS: remembers the title of before, and brings it back.
const saveTitle = "\u001b[22;0t";
const restoreTitle = "\u001b[23;0t";
