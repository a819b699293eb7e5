// Who is at a port: a proxy of this data folder, something else, or nothing; and what to do when the port is taken. The
// local key is shown to no port, neither here nor by what relies on this: a proxy proves that it knows the key first, and
// where the system tells, its process holds the other end of the connection.
import { createServer } from "node:net";
import type { KnownProxy } from "../app/open-key.ts";
import { originOf } from "../lib/host.ts";
import { isObject } from "../lib/json.ts";
import { createKeyChallenge } from "../lib/key-proof.ts";
import { networkFailure } from "../lib/network-failure.ts";
import { systemRandom } from "../lib/random.ts";
import type { Secret } from "../lib/secret.ts";
import { AppError } from "../messages/errors.ts";
import type { RefreshFact } from "../messages/refresh-fact.ts";
import type { RefreshView } from "../state/refreshes.ts";
import type { Connect, Connection } from "./connection.ts";

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
  /** Null when the key was not shown. */
  readonly label: string | null;
  readonly kind: string;
  readonly health: string;
  readonly expires_at: string | null;
  /** A sentence; a code when the key was not shown. */
  readonly last_error: string | null;
  /** Missing in the answer of an older version. */
  readonly last_refresh?: RefreshView | null;
};

/**
 * `ours`: it has proved that it knows the local key; `url` is the address that was reached. `other-folder`: it refuses
 * our key as this program does, which anything can do. `foreign`: something else.
 */
export type Running =
  | { readonly is: "none" }
  | { readonly is: "ours"; readonly url: string; readonly health: Health; readonly refreshes?: readonly RefreshFact[] }
  | { readonly is: "other-folder" | "foreign"; readonly url: string };

export type RunningQuery = {
  /** The configured address. */
  readonly host: string;
  readonly port: number;
  readonly key: Secret;
  /** As proxy.json names them. */
  readonly proxies: readonly KnownProxy[];
  readonly connect: Connect;
  /** Only a proxy that stays, not one that ends with the command it was started for. */
  readonly lasting?: boolean;
  /** Ask with the key, which only then is shown, and only to what has proved that it knows it: labels and sentences of failures, or the refresh timeline too. */
  readonly withKey?: "details" | "timeline" | null;
  readonly timeoutMs?: number;
};

/** The proxy of this data folder: where proxy.json says, else what is at the configured address. Never throws; what hangs takes `timeoutMs` (default 2 s) at each address. */
export const findRunning = async (query: RunningQuery): Promise<Running> => {
  const { host, port, proxies, lasting = false } = query;
  const configured = port === 0 ? null : originOf(host, port);
  const known = proxies.filter(({ forOneCommand }) => !(lasting && forOneCommand)).map(({ url }) => url);
  const urls = new Set(configured !== null && known.includes(configured) ? [configured, ...known] : known);
  let atConfigured: Running | null = null;
  for (const url of urls) {
    const found = await lookAt(url, query);
    if (found.is === "ours") return found;
    if (url === configured) atConfigured = found;
  }
  return configured === null ? { is: "none" } : (atConfigured ?? lookAt(configured, query));
};

/** Who is at one address. Never throws; takes `timeoutMs` (default 2 s) when it hangs. */
export const lookAt = async (url: string, query: RunningQuery): Promise<Running> => {
  const { connect, timeoutMs = 2000 } = query;
  let connection: Connection | null = null;
  try {
    connection = await connect(url, timeoutMs);
    return await question(connection, url, query);
  } catch (error) {
    return connection === null && isNotThere(error) ? { is: "none" } : { is: "foreign", url };
  } finally {
    connection?.close();
  }
};

// Then no process listens there, or there is no such address. A timeout or an answer that is not HTTP comes from a process.
const isNotThere = (error: unknown): boolean => ["refused", "name-lookup", "no-route"].includes(networkFailure(error).kind);

// What anything may send that has not proved itself, and what a proxy does send.
const smallAnswer = 65_536;
const largeAnswer = 64 * 1_048_576;

const question = async (connection: Connection, url: string, { key, proxies, withKey = null }: RunningQuery): Promise<Running> => {
  const challenge = createKeyChallenge(key, { host: connection.host, random: systemRandom });
  const answer = await connection.ask("/api/hello", { headers: challenge.headers, maxBytes: smallAnswer });
  if (!challenge.accepts(isObject(answer.body) ? answer.body["proof"] : null)) {
    return { is: answer.status === 401 && answer.errorCode === "local-key" ? "other-folder" : "foreign", url };
  }
  const reached = new URL(`http://${connection.host}`).origin;
  const owners = proxies.filter((proxy) => proxy.url === reached);
  if (owners.length > 0 && owners.every((proxy) => proxy.holdsOtherEnd(connection.ends) === false)) return { is: "foreign", url };
  const health = readHealth((await connection.ask("/health", { ...(withKey === null ? {} : shown(key)), maxBytes: largeAnswer })).body);
  if (health === null) return { is: "foreign", url };
  const ours = { is: "ours", url: reached, health } as const;
  return withKey === "timeline" ? { ...ours, refreshes: await askRefreshes(connection, key) } : ours;
};

const shown = (key: Secret) => ({ headers: { authorization: `Bearer ${key.reveal()}` } });

// An older version sends no timeline.
const askRefreshes = async (connection: Connection, key: Secret): Promise<readonly RefreshFact[]> => {
  const { body } = await connection.ask("/api/status", { ...shown(key), maxBytes: largeAnswer });
  const refreshes = isObject(body) ? body["refreshes"] : null;
  return Array.isArray(refreshes) ? (refreshes as readonly RefreshFact[]) : [];
};

const readHealth = (body: unknown): Health | null => {
  if (!isObject(body)) return null;
  const { status, version, uptime_seconds, mode, accounts } = body;
  const named = typeof status === "string" && typeof version === "string" && typeof mode === "string";
  return named && typeof uptime_seconds === "number" && Array.isArray(accounts) ? (body as unknown as Health) : null;
};

/** A program that has not proved that it knows the local key. */
export type Stranger = Extract<Running, { readonly is: "other-folder" | "foreign" }>;

/** What is said of it; `where` is `on this port` or `at` with its address. */
export const strangerText = ({ is }: Stranger, where: string): string =>
  `something else answers ${where}; ${is === "foreign" ? "it did not prove that it knows our local key" : "it refuses our local key, as a claude-oauth-proxy with another data folder does"}`;

export type TakenPort = {
  readonly message: string;
  readonly hint: string;
  readonly nextPort: number | null;
  readonly url: string;
  /** The proxy of this data folder that has the port; null for anything else. */
  readonly other: { readonly version: string; readonly uptimeSeconds: number } | null;
};

/** What is at a taken port, and which port is free next; never throws. On a terminal the person then chooses. */
export const lookAtPort = async (query: RunningQuery): Promise<TakenPort> => {
  const { host, port } = query;
  const url = originOf(host, port);
  const [found, nextPort] = await Promise.all([lookAt(url, query), nextFreePort(host, port)]);
  const next = nextPort === null ? "Choose another one with --port." : `Start on the next free port with \`claude-oauth-proxy --port ${nextPort}\`.`;
  const taken = { nextPort, message: `Port ${port} on ${host} is taken ${ownerText(found)}.` };
  if (found.is !== "ours") return { ...taken, hint: `${found.is === "other-folder" ? "If that one is yours, name its folder with --dir. " : ""}${next}`, url, other: null };
  const { version, uptime_seconds: uptimeSeconds } = found.health;
  return { ...taken, hint: `It serves already: \`claude-oauth-proxy status\` shows it, \`claude-oauth-proxy env\` how to use it. ${next}`, url: found.url, other: { version, uptimeSeconds } };
};

const ownerText = (found: Running): string => {
  if (found.is === "ours") return `by another claude-oauth-proxy of yours (version ${found.health.version}, this data folder)`;
  // It has gone since, or cannot be reached under this address.
  return found.is === "none" ? "by another program" : `already: ${strangerText(found, "on this port")}`;
};

/** The same as a failure, exit code 4: the answer where there is no person to ask. */
export const portTakenError = ({ message, hint }: TakenPort, cause: unknown): AppError => new AppError({ code: "port-taken", message, hint, cause });

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
