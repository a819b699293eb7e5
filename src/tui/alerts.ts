// Calls a person, and only when a person is needed: nobody else can sign in again or free a full disk.
// One call for each cause, not one for each frame. Pure decisions; the caller writes the bytes.
import { canServe, tokenState } from "../state/select.ts";
import type { AppState } from "../state/state.ts";

export type Notify = "none" | "bell" | "osc9";

/** Why a person is needed, one entry for each cause; empty while the program manages by itself. Plain words, no account names: a title is seen by others. */
export const causes = (state: AppState, now: number): readonly string[] => {
  if (state.server.status !== "running" || state.server.mode === "pass-through") return [];
  const signedOut = state.accounts.filter((account) => tokenState(account, now) === "needs-login");
  const nobody = state.accounts.length > 0 && !state.accounts.some((account) => canServe(account, now));
  const notice = state.activity.findLast(({ type, tone, at }) => type === "notice" && tone === "error" && at > now - 5 * 60_000);
  return [
    ...signedOut.map(({ id }) => `sign-in:${id}`),
    ...(state.accounts.length === 0 ? ["sign-in"] : []),
    ...(nobody && signedOut.length === 0 ? ["no-account"] : []),
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

/** Sets the title, with a mark while somebody is needed. The port says which of several it is; no account name. */
export const titleBytes = (port: number | null, needed: boolean): string => `\u001b]0;${needed ? "! " : ""}claude-oauth-proxy${port === null ? "" : ` :${port}`}\u0007`;

/** XTWINOPS: remembers the title of before, and brings it back. */
export const saveTitle = "\u001b[22;0t";
export const restoreTitle = "\u001b[23;0t";
