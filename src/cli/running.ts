// Is a proxy of ours running at the configured address, and does it share our data folder?
// The local key is shown only to something that has answered as this program does.
import { originOf } from "../lib/host.ts";
import { isObject } from "../lib/json.ts";
import { networkFailure } from "../lib/network-failure.ts";
import type { Secret } from "../lib/secret.ts";
import type { RefreshFact } from "../messages/refresh-fact.ts";
import type { RefreshView } from "../state/refreshes.ts";

/** The answer of `GET /health`, as far as it is used here. */
export type Health = {
  readonly status: string;
  readonly version: string;
  readonly uptime_seconds: number;
  readonly mode: string;
  readonly accounts: readonly HealthAccount[];
  readonly in_flight: number;
  readonly requests_total: number;
};

export type HealthAccount = {
  readonly id: string;
  readonly label: string;
  readonly kind: string;
  readonly health: string;
  readonly expires_at: string | null;
  readonly last_error: string | null;
  /** Missing in the answer of an older version. */
  readonly last_refresh?: RefreshView | null;
};

/** `other-folder`: this program, but it does not know our key. `foreign`: another program has the port. */
export type Running =
  | { readonly is: "none" }
  | { readonly is: "ours"; readonly url: string; readonly health: Health; readonly refreshes?: readonly RefreshFact[] }
  | { readonly is: "other-folder"; readonly url: string; readonly health: Health }
  | { readonly is: "foreign"; readonly url: string };

export type RunningQuery = { readonly host: string; readonly port: number; readonly key: Secret; readonly fetch: typeof fetch; readonly timeoutMs?: number };

/** Never throws; takes at most twice `timeoutMs` (default 2 s). Port 0 is nowhere. */
export const findRunning = async ({ host, port, key, fetch, timeoutMs = 2000 }: RunningQuery): Promise<Running> => {
  if (port === 0) return { is: "none" };
  const url = originOf(host, port);
  const ask = (path: string, headers: Record<string, string> = {}): Promise<Answer> => call(fetch, url + path, { headers, timeoutMs });
  const open = await ask("/health");
  if (open.status === null) return open.refused ? { is: "none" } : { is: "foreign", url };
  const health = readHealth(open.body);
  if (health === null) return { is: "foreign", url };
  const keyed = await ask("/api/status", { authorization: `Bearer ${key.reveal()}` });
  return keyed.status === 200 ? { is: "ours", url, health, refreshes: refreshesIn(keyed.body) } : { is: "other-folder", url, health };
};

type Answer = { readonly status: number; readonly body: unknown } | { readonly status: null; readonly refused: boolean };

const call = async (fetch: RunningQuery["fetch"], url: string, { headers, timeoutMs }: { headers: Record<string, string>; timeoutMs: number }): Promise<Answer> => {
  try {
    const response = await fetch(url, { headers, redirect: "manual", signal: AbortSignal.timeout(timeoutMs) });
    return { status: response.status, body: await response.json().catch(() => null) };
  } catch (error) {
    return { status: null, refused: isNotThere(error) };
  }
};

// Then no process listens there, or there is no such address. A timeout or an answer that is not HTTP comes from a process.
const isNotThere = (error: unknown): boolean => ["refused", "name-lookup", "no-route"].includes(networkFailure(error).kind);

// Only a program that knows our key is asked for this; an older version sends no timeline.
const refreshesIn = (body: unknown): readonly RefreshFact[] => {
  const refreshes = isObject(body) ? body["refreshes"] : null;
  return Array.isArray(refreshes) ? (refreshes as readonly RefreshFact[]) : [];
};

const readHealth = (body: unknown): Health | null => {
  if (!isObject(body)) return null;
  const { status, version, uptime_seconds, mode, accounts } = body;
  const named = typeof status === "string" && typeof version === "string" && typeof mode === "string";
  return named && typeof uptime_seconds === "number" && Array.isArray(accounts) ? (body as unknown as Health) : null;
};
