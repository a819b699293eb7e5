// The data folder: can it be used, is it private, are the credentials whole, is anything left over. Pure.
import type { FolderLook } from "../app/look-at-folder.ts";
import { ok, problem, warning } from "./finding.ts";
import type { Finding } from "./finding.ts";

export type FolderWish = { readonly dir: string; readonly look: FolderLook; readonly uid: number | null };

export const folderChecks = (wish: FolderWish): readonly Finding[] => {
  const folder = folderCheck(wish);
  if (folder.status === "problem" || wish.look.folder === null) return [folder];
  return [folder, modesCheck(wish), storeCheck(wish.look), leftoversCheck(wish.look)];
};

const otherFolder = "Choose another folder with --dir or CLAUDE_OAUTH_PROXY_DIR.";

const folderCheck = ({ dir, look: { folder, refused, writable }, uid }: FolderWish): Finding => {
  if (refused !== null) return problem("data folder", `${dir}: ${refused}`, otherFolder);
  if (folder !== null && uid !== null && folder.uid !== uid) return problem("data folder", `${dir} belongs to another user (uid ${folder.uid})`, `chown it to yourself. ${otherFolder}`);
  if (!writable) return problem("data folder", folder === null ? `${dir} cannot be made` : `${dir} cannot be written`, `Check its owner and mode. ${otherFolder}`);
  return ok("data folder", folder === null ? `${dir}: made at the first start` : `${dir}: readable and writable`);
};

const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

const modesCheck = ({ look: { folder, files }, uid }: FolderWish): Finding => {
  if (uid === null) return ok("file modes", "this system has none");
  const foreign = files.filter((file) => file.uid !== uid);
  if (foreign.length > 0) return problem("file modes", `of another user: ${namesOf(foreign)}`, "Change the owner to yourself (chown).");
  const wide = [...(folder === null ? [] : [{ ...folder, name: "the folder" }]), ...files].filter(({ mode }) => (mode & 0o077) !== 0);
  if (wide.length === 0) return ok("file modes", `folder ${octal(folder?.mode ?? 0)}, all ${files.length} of our files in it closed to others`);
  const found = `open to other users: ${wide.map(({ name, mode }) => `${name} ${octal(mode)}`).join(", ")}`;
  return warning("file modes", found, "The next start closes them. If others may have read them, sign in again.");
};

const namesOf = (files: readonly { readonly name: string }[]): string => files.map(({ name }) => name).join(", ");

const storeCheck = ({ store, backup }: FolderLook): Finding => {
  const hasBackup = backup.state === "good" || backup.state === "sealed";
  switch (store.state) {
    case "none":
      return hasBackup ? warning("accounts.json", "missing, its backup is there", "The next start goes on with the backup.") : ok("accounts.json", "none yet");
    case "good":
      return goodStore(store.accounts.length, store.unused);
    case "sealed":
      if (store.by === "unknown") return problem("accounts.json", "sealed in a way this version does not know", "Use the version that wrote it.");
      return ok("accounts.json", `sealed (${store.by}); not opened here`);
    default:
      return damaged(store.reason, hasBackup);
  }
};

const goodStore = (count: number, unused: readonly string[]): Finding => {
  const found = count === 1 ? "whole, 1 account" : `whole, ${count} accounts`;
  return unused.length === 0 ? ok("accounts.json", found) : warning("accounts.json", `${found}; not understood: ${unused.join(", ")}`, "Those are kept as they are and not used.");
};

const damaged = (reason: string, hasBackup: boolean): Finding => {
  const advice = "The next start puts it aside and goes on";
  return hasBackup ? warning("accounts.json", reason, `${advice} with the backup.`) : problem("accounts.json", `${reason}; there is no backup`, `${advice} without accounts: sign in again.`);
};

const leftoversCheck = ({ leftovers }: FolderLook): Finding => {
  if (leftovers.length === 0) return ok("leftovers", "none");
  return warning("leftovers", leftovers.join(", "), "They may hold tokens: look at those that were put aside, then remove them.");
};
