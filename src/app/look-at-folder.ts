// The data folder for `doctor`: what lies in it, and in what state its accounts would start. Reads only.
import { createHeld, entryOf } from "../accounts/held.ts";
import type { Clock } from "../lib/clock.ts";
import type { AccountHealth } from "../messages/events.ts";
import { inspectFolder } from "../storage/inspect-folder.ts";
import type { SeenFolder } from "../storage/inspect-folder.ts";

/** An account as the file tells it; no token, no label, no e-mail. Times are wall milliseconds. */
export type AccountLook = {
  readonly id: string;
  readonly kind: string;
  readonly health: AccountHealth;
  readonly expiresAt: number | null;
  readonly renewable: boolean;
  readonly lastError: string | null;
};

/** `accounts` is null when they cannot be seen: no good file, or a sealed one. */
export type FolderLook = SeenFolder & { readonly accounts: readonly AccountLook[] | null };

/** Never throws, changes nothing. */
export const lookAtFolder = (dir: string, { uid, clock }: { readonly uid: number | null; readonly clock: Clock }): FolderLook => {
  const seen = inspectFolder(dir, { uid, now: clock.now() });
  return { ...seen, accounts: accountsOf(seen, clock) };
};

const accountsOf = ({ store }: SeenFolder, clock: Clock): readonly AccountLook[] | null => {
  if (store.state === "none") return [];
  if (store.state !== "good") return null;
  return store.accounts.map((account) => ({
    id: account.id,
    kind: account.kind,
    health: entryOf(createHeld(account, clock), clock).health,
    expiresAt: account.kind === "api_key" ? null : account.expiresAt,
    renewable: account.refreshToken !== null,
    lastError: account.lastError,
  }));
};
