// The sentences about what was found in the data folder. Pure; names of entries are made harmless.
import { basename } from "node:path";
import { visibleText } from "../lib/visible-text.ts";
import type { StorageNotice } from "./notice.ts";
import type { DataFiles } from "./paths.ts";
import type { Reading } from "./store-reading.ts";

const counted = (count: number): string => (count === 1 ? "1 account" : `${count} accounts`);

const sourceIn = (reading: Reading, paths: DataFiles): string => {
  const count = counted(reading.store.accounts.size);
  if (reading.from === "backup") return `the backup ${basename(paths.backup)} is used (${count})`;
  if (reading.from === "memory") return `what this process knew is used (${count})`;
  return "there is no usable backup, so there are no accounts now";
};

/** What is said after the live file was missing or broken and the state was written anew. */
export const recoveryNotice = (reading: Reading, paths: DataFiles, aside: string | null): StorageNotice => {
  const lost = reading.from === "nothing";
  const source = sourceIn(reading, paths);
  if (aside === null) {
    const hint = "To remove accounts on purpose, use `claude-oauth-proxy logout`.";
    return { level: "warning", code: "restored", message: `${paths.accounts} was missing; ${source}`, hint };
  }
  const message = `${paths.accounts} cannot be used: ${reading.broken ?? "it is broken"}. It was moved to ${aside}; ${source}`;
  const hint = lost ? "Sign in again, or repair that file and put it back." : null;
  return { level: lost ? "error" : "warning", code: "moved-aside", message, hint };
};

/** What is said when the same happened and nothing could be written. */
export const unrepairedNotice = (reading: Reading, paths: DataFiles, reason: string): StorageNotice => ({
  level: "error",
  code: "restored",
  message: `${paths.accounts} ${stateOf(reading)}; ${sourceIn(reading, paths)}, but ${reason}`,
  hint: "The file was left as it is. Make the folder writable.",
});

const stateOf = ({ broken }: Reading): string => (broken === null ? "is missing" : `cannot be used: ${broken}`);

/** One notice per entry that is kept in the file but cannot be used. */
export const unusedNotices = (reading: Reading, paths: DataFiles): readonly StorageNotice[] =>
  reading.store.unused.map(({ id, reason }) => ({
    level: "warning",
    code: "entry-unused",
    message: `the account "${visibleText(id, 80)}" in ${paths.accounts} is kept but not used: ${reason}`,
    hint: "Correct it, or sign in again.",
  }));
