// What `doctor` looks at without running anything: the data folder with its accounts and proxies, and the way to
// the upstream. The rules are those of the running program; nothing is changed and no connection is made.
import { AccountState } from "../accounts/account-state.ts";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../lib/clock.ts";
import { AppError } from "../messages/errors.ts";
import type { AccountHealth } from "../messages/events.ts";
import { createProxyRule, checkedOrigin } from "../proxy/outbound-proxy.ts";
import { systemFiles } from "../storage/files.ts";
import { inspectFolder } from "../storage/inspect-folder.ts";
import type { SeenFolder } from "../storage/inspect-folder.ts";
import { describeEntries } from "../storage/private-folder.ts";
import { createSystemProcesses } from "../storage/processes.ts";
import type { ThisProcess } from "../storage/processes.ts";
import { knownProxies } from "./open-key.ts";
import type { KnownProxy } from "./open-key.ts";

/** An account as its file says; no token, no label, no e-mail. Times are wall milliseconds. */
export type AccountLook = {
  readonly id: string;
  readonly kind: string;
  readonly health: AccountHealth;
  readonly expiresAt: number | null;
  readonly renewable: boolean;
  readonly lastError: string | null;
};

/** `accounts` is null when they cannot be seen: no good file, or a sealed one. */
export type FolderLook = Omit<SeenFolder, "foreign"> & {
  readonly accounts: readonly AccountLook[] | null;
  /** One for each entry that keeps every command from starting, in its words. */
  readonly foreign: readonly { readonly message: string; readonly hint: string }[];
};

/** Never throws. */
export const lookAtFolder = (dir: string, { uid, clock }: { readonly uid: number | null; readonly clock: Clock }): FolderLook => {
  const seen = inspectFolder(dir, { uid, now: clock.now() });
  return { ...seen, accounts: accountsOf(seen, clock), foreign: seen.foreign.map((entry) => describeEntries(dir, [entry])) };
};

const accountsOf = ({ store }: SeenFolder, clock: Clock): readonly AccountLook[] | null => {
  if (store.state === "none") return [];
  if (store.state !== "good") return null;
  return store.accounts.map((account) => ({
    id: account.id,
    kind: account.kind,
    health: new AccountState(account, { clock, publish: () => {} }).entry().health,
    expiresAt: account.kind === "api_key" ? null : account.expiresAt,
    renewable: account.refreshToken !== null,
    lastError: account.lastError,
  }));
};

/** `reason` says why proxy.json is not used; it is safe to print. */
export type ProxiesLook = { readonly proxies: readonly KnownProxy[]; readonly reason: string | null };

/** Which proxies the folder knows. Never throws. */
export const lookForProxies = (dir: string, process: ThisProcess): ProxiesLook => {
  const processes = createSystemProcesses(process);
  try {
    return { proxies: knownProxies(dir, { files: systemFiles, uid: processes.uid, processes, onNotice: () => {}, repairModes: false }), reason: null };
  } catch (error) {
    return { proxies: [], reason: error instanceof AppError ? error.message : "it cannot be read" };
  }
};

/** `shown` never holds the proxy's user or password. */
export type OutboundPlan =
  | { readonly ok: true; readonly origin: string; readonly hop: { readonly shown: string; readonly source: string } | null }
  | { readonly ok: false; readonly message: string; readonly hint: string | null };

type Environment = Readonly<Record<string, string | undefined>>;

/** What `upstream.baseUrl` would be reached through. Never throws. */
export const outboundPlan = ({ baseUrl, proxy }: Pick<Config["upstream"], "baseUrl" | "proxy">, env: Environment): OutboundPlan => {
  try {
    const origin = checkedOrigin(baseUrl);
    const { hostname, port, protocol } = new URL(origin);
    const hop = createProxyRule(proxy, env)(hostname, port === "" ? (protocol === "https:" ? 443 : 80) : Number(port));
    return { ok: true, origin, hop: hop === null ? null : { shown: hop.shown, source: hop.source } };
  } catch (error) {
    const known = error instanceof AppError ? error : null;
    return { ok: false, message: known?.message ?? "The outbound settings cannot be read.", hint: known?.hint ?? null };
  }
};

/** Would requests to `hostname`:`port` bypass the proxy by `NO_PROXY` alone, as most clients read it? */
export const exemptByNoProxy = (list: string, hostname: string): boolean =>
  list.split(/[\s,]+/).some((entry) => {
    const name = entry.toLowerCase().replace(/^\*?\.|[[\]]/g, "").replace(/(?<!:):\d+$/, "");
    return entry === "*" || name === hostname;
  });
