// What is at the configured address: a proxy of ours, another program or nothing; and what to do when the port is
// taken. The local key is shown only to something that has answered as this program does.
import { createServer } from "node:net";
import { originOf } from "../lib/host.ts";
import { isObject } from "../lib/json.ts";
import { networkFailure } from "../lib/network-failure.ts";
import type { Secret } from "../lib/secret.ts";
import { AppError } from "../messages/errors.ts";
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

export type TakenPort = {
  readonly message: string;
  readonly hint: string;
  readonly nextPort: number | null;
  readonly url: string;
  /** Another proxy of this program, of any user; null for anything else. */
  readonly other: { readonly version: string; readonly uptimeSeconds: number } | null;
};

/** What is at a taken port, and which port is free next; never throws. On a terminal the person then chooses. */
export const lookAtPort = async (query: RunningQuery): Promise<TakenPort> => {
  const { host, port } = query;
  const [running, nextPort] = await Promise.all([findRunning(query), nextFreePort(host, port)]);
  const second = nextPort === null ? "Choose another one with --port." : `Start on the next free port with \`claude-oauth-proxy --port ${nextPort}\`.`;
  return { message: `Port ${port} on ${host} is taken by ${owner(running)}.`, hint: `${advice(running)}${second}`, nextPort, url: originOf(host, port), other: otherProxy(running) };
};

/** The same as a failure, exit code 4: the answer where there is no person to ask. */
export const portTakenError = ({ message, hint }: TakenPort, cause: unknown): AppError => new AppError({ code: "port-taken", message, hint, cause });

const otherProxy = (running: Running): TakenPort["other"] =>
  running.is === "ours" || running.is === "other-folder" ? { version: running.health.version, uptimeSeconds: running.health.uptime_seconds } : null;

const owner = (running: Running): string => {
  if (running.is === "ours") return `another claude-oauth-proxy of yours (version ${running.health.version}, this data folder)`;
  return running.is === "other-folder" ? `a claude-oauth-proxy with another data folder (version ${running.health.version})` : "another program";
};

const advice = (running: Running): string => (running.is === "ours" ? "It serves already: `claude-oauth-proxy status` shows it, `claude-oauth-proxy env` how to use it. " : "");

// The first free port above `after` (at most 50 tries), null when there is none.
const nextFreePort = async (host: string, after: number): Promise<number | null> => {
  for (let port = after + 1; port <= Math.min(65_535, after + 50); port += 1) {
    if ((await bindFault(host, port)) === null) return port;
  }
  return null;
};

/** The system's error code when this user cannot listen there (`EADDRINUSE`, `EACCES`), null when the port is free. */
export const bindFault = (host: string, port: number): Promise<string | null> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "unknown error"));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
