// Checks of what the program keeps: the data folder with its files, the settings, the accounts. Pure.
import { canServe } from "../accounts/can-serve.ts";
import type { AccountLook, FolderLook } from "../app/inspect.ts";
import type { HealthAccount, Running } from "../cli/running.ts";
import type { Config } from "../config/schema.ts";
import { ok, problem, span, warning } from "./report.ts";
import type { Finding } from "./report.ts";

export type FolderFacts = {
  readonly dir: string;
  readonly look: FolderLook;
  readonly uid: number | null;
  /** `storage.encryption=none` is given: a plain store may take the place of a sealed one. */
  readonly mayUnseal: boolean;
};

/** Can the folder be used, is it private, are the credentials whole, is anything left over? */
export const folderChecks = (facts: FolderFacts): readonly Finding[] => {
  const folder = folderCheck(facts);
  if (folder.status === "problem" || facts.look.folder === null) return [folder];
  return [folder, ...facts.look.foreign.map(({ message, hint }) => problem("foreign entry", message, hint)), modesCheck(facts), storeCheck(facts), leftoversCheck(facts.look)];
};

const otherFolder = "Choose another folder with --dir or CLAUDE_OAUTH_PROXY_DIR.";

const folderCheck = ({ dir, look: { folder, refused, writable }, uid }: FolderFacts): Finding => {
  if (refused !== null) return problem("data folder", `${dir}: ${refused}`, otherFolder);
  if (folder !== null && uid !== null && folder.uid !== uid) return problem("data folder", `${dir} belongs to another user (uid ${folder.uid})`, `chown it to yourself. ${otherFolder}`);
  if (!writable) return problem("data folder", folder === null ? `${dir} cannot be made` : `${dir} cannot be written`, `Check its owner and mode. ${otherFolder}`);
  return ok("data folder", folder === null ? `${dir}: made at the first start` : `${dir}: readable and writable`);
};

const modesCheck = ({ look: { folder, files }, uid }: FolderFacts): Finding => {
  if (uid === null) return ok("file modes", "this system has none");
  const foreign = files.filter((file) => file.uid !== uid);
  if (foreign.length > 0) return problem("file modes", `of another user: ${foreign.map(({ name }) => name).join(", ")}`, "Change the owner to yourself (chown).");
  const wide = [...(folder === null ? [] : [{ ...folder, name: "the folder" }]), ...files].filter(isWide);
  if (wide.length === 0) return ok("file modes", `folder ${octal(folder?.mode ?? 0)}, all ${files.length} of our files in it closed to others`);
  const found = `open to other users: ${wide.map(({ name, mode }) => `${name} ${octal(mode)}`).join(", ")}`;
  return warning("file modes", found, "The next start closes them. If others may have read them, sign in again.");
};

// There is no secret in the preferences: only a change by others would do harm.
const isWide = ({ name, mode }: { readonly name: string; readonly mode: number }): boolean => (mode & (name === "config.json" ? 0o022 : 0o077)) !== 0;

const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

const storeCheck = ({ look: { store, backup, wasSealed }, mayUnseal }: FolderFacts): Finding => {
  const hasBackup = backup.state === "good" || backup.state === "sealed";
  if (store.state === "good" && (wasSealed || backup.state === "sealed") && !mayUnseal) {
    return problem("accounts.json", "not sealed, and it was: nothing starts with it", "Put the sealed file back, or accept this one: claude-oauth-proxy accounts list --set storage.encryption=none");
  }
  switch (store.state) {
    case "none":
      return hasBackup ? warning("accounts.json", "missing, its backup is there", "The next start goes on with the backup.") : ok("accounts.json", "none yet");
    case "good": {
      const found = store.accounts.length === 1 ? "whole, 1 account" : `whole, ${store.accounts.length} accounts`;
      return store.unused.length === 0 ? ok("accounts.json", found) : warning("accounts.json", `${found}; not understood: ${store.unused.join(", ")}`, "Those are kept as they are and not used.");
    }
    case "sealed":
      if (store.by === "unknown") return problem("accounts.json", "sealed in a way this version does not know", "Use the version that wrote it.");
      return ok("accounts.json", `sealed (${store.by}); not opened here`);
    default: {
      const advice = "The next start puts it aside and goes on";
      return hasBackup ? warning("accounts.json", store.reason, `${advice} with the backup.`) : problem("accounts.json", `${store.reason}; there is no backup`, `${advice} without accounts: sign in again.`);
    }
  }
};

const leftoversCheck = ({ leftovers }: FolderLook): Finding => {
  if (leftovers.length === 0) return ok("leftovers", "none");
  return warning("leftovers", leftovers.join(", "), "They may hold tokens: look at those that were put aside, then remove them.");
};

export type SettingsFacts = { readonly path: string; readonly exists: boolean; readonly problems: readonly string[]; readonly config: Config };

/** The preferences file with environment and flags, and the settings by which the program does alter a request. */
export const settingsChecks = ({ path, exists, problems, config: { models, retry } }: SettingsFacts): readonly Finding[] => [
  ...(problems.length === 0
    ? [ok("settings", exists ? `${path}: every value is understood` : "no preferences file: defaults, environment and flags")]
    : problems.map((sentence) => problem("settings", sentence, "Repair it: the program does not start with it. The checks below go on without."))),
  ...(models.map === null && models.default === null ? [] : [warning("models.map", "the model's name in a request is replaced where the map says so", "Unset models.map and models.default to leave every body as it is.")]),
  ...(retry.statuses.length === 0 ? [] : [warning("retry.statuses", `answers with ${retry.statuses.join(", ")} are asked for again before the client sees them`, "Unset retry.statuses: the clients retry by themselves.")]),
];

export type AccountFacts = { readonly mode: string; readonly running: Running; readonly look: FolderLook; readonly now: number };

/** An account of the file, or of a running proxy, which does not say whether it is `renewable`. */
type KnownAccount = Omit<AccountLook, "renewable"> & { readonly renewable: boolean | null };

/** One line an account, from the running proxy when it is ours, else from the file. In pass-through mode the client keeps its own login. */
export const accountChecks = ({ mode, running, look, now }: AccountFacts): readonly Finding[] => {
  if (mode === "pass-through") return [ok("accounts", "pass-through mode: the client keeps its own login")];
  const accounts: readonly KnownAccount[] | null = running.is === "ours" ? running.health.accounts.map(fromHealth) : look.accounts;
  if (accounts === null) return [warning("accounts", "not visible: see accounts.json above", "`claude-oauth-proxy accounts list` opens a sealed file.")];
  if (accounts.length === 0) return [warning("accounts", "none", "Sign in: claude-oauth-proxy login")];
  const findings = accounts.map((account) => accountCheck(account, now));
  // One account that cannot serve is no problem while another one can.
  const someServe = running.is === "ours" ? running.health.status !== "sign-in-needed" : (look.accounts ?? []).some((account) => servesAtStart(account, now));
  return someServe ? findings : [...findings, problem("accounts", "none of them can serve", "Sign in: claude-oauth-proxy login")];
};

const servesAtStart = ({ health, expiresAt, renewable }: AccountLook, now: number): boolean =>
  canServe({ enabled: health !== "disabled", expiresAt, renewable: renewable && health !== "needs-login", nextRefreshAt: null }, now);

const fromHealth = ({ id, kind, health, expires_at, last_error }: HealthAccount): KnownAccount => ({
  id,
  kind,
  health: health as AccountLook["health"],
  expiresAt: expires_at === null ? null : Date.parse(expires_at),
  renewable: null,
  lastError: last_error,
});

const isEnded = ({ health, expiresAt, renewable }: KnownAccount, now: number): boolean =>
  health === "needs-login" || (renewable === false && expiresAt !== null && expiresAt <= now);

const accountCheck = (account: KnownAccount, now: number): Finding => {
  const name = `account ${account.id}`;
  const error = account.lastError === null ? "" : `; last error: ${account.lastError}`;
  const found = `${account.kind}, ${account.health}, ${expiry(account, now)}${error}`;
  if (account.health === "disabled") return warning(name, found, `claude-oauth-proxy accounts enable ${account.id}`);
  if (isEnded(account, now)) return warning(name, found, `Sign in again: claude-oauth-proxy login --account ${account.id}`);
  if (account.lastError !== null) return warning(name, found, `claude-oauth-proxy refresh ${account.id} tries it again.`);
  return ok(name, found);
};

const expiry = ({ kind, expiresAt, renewable }: KnownAccount, now: number): string => {
  if (expiresAt === null) return kind === "api_key" ? "no expiry" : "expiry unknown";
  if (expiresAt > now) return `token for ${span(expiresAt - now)}${renewable === false ? ", cannot be refreshed" : ""}`;
  return `token expired ${span(now - expiresAt)} ago${renewable === false ? ", cannot be refreshed" : ", refreshed at the next start"}`;
};
