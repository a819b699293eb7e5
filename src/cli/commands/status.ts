// `status`: the state of a running proxy when it is ours, else of the store, in three lengths: one line for a status
// bar, lines for people, JSON for scripts. Never starts anything.
import { asciiJson } from "../../lib/json.ts";
import { isoTime } from "../../lib/units.ts";
import { visibleText } from "../../lib/visible-text.ts";
import type { RefreshFact } from "../../messages/refresh-fact.ts";
import { viewLastRefresh, viewTimeline } from "../../state/refreshes.ts";
import type { RefreshView } from "../../state/refreshes.ts";
import type { AccountRow } from "../../state/state.ts";
import type { CliContext, Command, ParsedArgs } from "../context.ts";
import { findRunning, strangerText } from "../running.ts";
import type { HealthAccount, Running } from "../running.ts";
import { loadSettings } from "../settings.ts";
import type { Settings } from "../settings.ts";
import { runningQuery, withOpenStore } from "../with-store.ts";

/** Exit code 0 whether a proxy runs or not: the state was shown. */
export const status: Command = async (context, args) => {
  const settings = loadSettings(context, args);
  const { config, dir } = settings;
  const running = await findRunning({ ...(await runningQuery(context, settings)), withKey: detailOf(args.options) });
  // While a proxy runs that can answer, a sealed store stays sealed.
  const known = running.is === "ours" ? { accounts: running.health.accounts, refreshes: running.refreshes ?? [] } : await stored(context, settings);
  const mode = running.is === "ours" ? running.health.mode : config.mode;
  context.stdout.write(`${render({ running, dir, mode, ...known }, args.options, context.clock.now())}\n`);
  return 0;
};

// A status bar shows neither a label nor why something failed.
const detailOf = ({ json, short }: ParsedArgs["options"]): "timeline" | "details" | null => (json === true ? "timeline" : short === true ? null : "details");

const stored = (context: CliContext, settings: Settings): Promise<Pick<Status, "accounts" | "refreshes">> =>
  withOpenStore(context, settings, async ({ store }) => {
    const { accounts, refreshes } = store.snapshot();
    return { accounts: accounts.map((row) => toHealthAccount(row, refreshes)), refreshes };
  });

const render = (known: Status, options: Readonly<Record<string, unknown>>, now: number): string => {
  if (options["json"] === true) return statusJson(known);
  return options["short"] === true ? shortStatus(known, now) : longStatus(known, now);
};

/** What is known, from a running proxy or from the store alone. */
export type Status = {
  readonly running: Running;
  readonly dir: string;
  readonly mode: string;
  readonly accounts: readonly HealthAccount[];
  /** Oldest first. */
  readonly refreshes: readonly RefreshFact[];
};

/** The width a tmux status bar can spare. */
const shortLimit = 59;

/** An account of the store in the words of `GET /health`. */
export const toHealthAccount = (row: AccountRow, refreshes: readonly RefreshFact[]): HealthAccount => ({
  id: row.id,
  label: row.label,
  kind: row.kind,
  health: row.health,
  // An API key has no expiry, whatever was once stored beside it.
  expires_at: row.kind === "api_key" ? null : isoTime(row.expiresAt),
  last_error: row.lastError,
  last_refresh: viewLastRefresh(refreshes, row.id),
});

/** `up :4001 | 2 open | claude 4h12m`, never longer than 59 columns. */
export const shortStatus = ({ running, accounts, mode }: Status, now: number): string => {
  const where = running.is === "ours" ? `up :${new URL(running.url).port}` : running.is === "none" ? "down" : "port taken";
  const load = running.is === "ours" ? `${running.health.in_flight} open` : null;
  return visibleText([where, load, ...briefAccounts(accounts, mode, now)].filter((part) => part !== null).join(" | "), shortLimit);
};

const briefAccounts = (accounts: readonly HealthAccount[], mode: string, now: number): string[] => {
  if (mode === "pass-through") return ["pass-through"];
  if (accounts.length === 0) return ["sign-in needed"];
  const unhealthy = accounts.filter(({ health }) => health !== "healthy");
  const [first] = accounts;
  const named = accounts.length === 1 && first !== undefined ? `${first.id.slice(0, 20)} ${remaining(first.expires_at, now)}` : `${accounts.length} accounts`;
  return unhealthy.length === 0 ? [named] : [named, unhealthy.length === accounts.length ? (unhealthy[0]?.health ?? "") : `${unhealthy.length} not healthy`];
};

// Lines for people, without a line feed at the end.
const longStatus = ({ running, dir, accounts }: Status, now: number): string =>
  [serverLine(running), `data folder: ${dir}`, ...accountLines(accounts, now)].map((line) => visibleText(line, 400)).join("\n");

const serverLine = (running: Running): string => {
  switch (running.is) {
    case "none":
      return "not running; this is what the data folder holds";
    case "foreign":
    case "other-folder":
      return `${strangerText(running, `at ${running.url}`)}; this is what the data folder holds`;
    case "ours": {
      const { health, url } = running;
      return `${health.status === "ok" ? "running" : health.status} at ${url} (${health.mode}, version ${health.version}), up ${span(health.uptime_seconds * 1000)}, ${health.in_flight} open, ${health.requests_total} requests`;
    }
  }
};

const accountLines = (accounts: readonly HealthAccount[], now: number): string[] =>
  accounts.length === 0
    ? ["no account; sign in with: claude-oauth-proxy login"]
    : accounts.map(({ id, label, kind, health, expires_at, last_error, last_refresh }) => {
        const error = last_error === null ? "" : `, last error: ${last_error}`;
        return `account ${id} (${label ?? id}, ${kind}): ${health}, ${expiry(expires_at, now)}${refreshed(last_refresh ?? null, now)}${error}`;
      });

const expiry = (at: string | null, now: number): string => {
  const text = remaining(at, now);
  return text === "expired" ? text : text === "no expiry" ? "does not expire" : `expires in ${text}`;
};

const refreshed = (last: RefreshView | null, now: number): string => {
  const at = last?.at == null ? Number.NaN : Date.parse(last.at);
  if (last === null || Number.isNaN(at)) return "";
  const what = { refreshed: "refreshed", adopted: "taken over from another process", failed: "refresh failed", "needs-login": "refresh refused" }[last.outcome];
  return `, ${what}${last.reason === null ? "" : ` (${last.reason})`} ${span(Math.max(0, now - at))} ago`;
};

const remaining = (at: string | null, now: number): string => {
  const end = at === null ? Number.NaN : Date.parse(at);
  if (Number.isNaN(end)) return "no expiry";
  return end <= now ? "expired" : span(end - now);
};

const span = (ms: number): string => {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.max(0, Math.floor(ms / 1000))}s`;
  if (minutes < 60) return `${minutes}m`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, "0")}m` : `${Math.floor(minutes / 1440)}d`;
};

const mostRefreshes = 100;

// The same keys as `GET /health`, plus whether a proxy runs and where, and the refresh timeline (oldest first).
const statusJson = ({ running, dir, mode, accounts, refreshes: facts }: Status): string => {
  const refreshes = facts.slice(-mostRefreshes).map(viewTimeline);
  if (running.is === "ours") return asciiJson({ running: true, url: running.url, dir, ...running.health, refreshes }, 2);
  return asciiJson({ running: false, url: null, dir, status: "not-running", mode, port: running.is, accounts, refreshes }, 2);
};
