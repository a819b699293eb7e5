// A port that is taken: by which program, and which one is free. On a terminal the person chooses what to do; elsewhere
// it is exit code 4.
import { createServer } from "node:net";
import { originOf } from "../lib/host.ts";
import type { Secret } from "../lib/secret.ts";
import { AppError } from "../messages/errors.ts";
import { findRunning } from "./running.ts";
import type { Running } from "./running.ts";

export type TakenPort = {
  readonly message: string;
  readonly hint: string;
  readonly nextPort: number | null;
  readonly url: string;
  /** Another proxy of this program, of any user; null for anything else. */
  readonly other: { readonly version: string; readonly uptimeSeconds: number } | null;
};

export type PortQuery = { readonly host: string; readonly port: number; readonly key: Secret; readonly fetch: typeof fetch };

/** Looks who is there and which port is free next; never throws. */
export const lookAtPort = async ({ host, port, key, fetch }: PortQuery): Promise<TakenPort> => {
  const [running, nextPort] = await Promise.all([
    findRunning({ host, port, key, fetch }),
    nextFreePort(host, port),
  ]);
  const second = nextPort === null ? "Choose another one with --port." : `Start on the next free port with \`claude-oauth-proxy --port ${nextPort}\`.`;
  return { message: `Port ${port} on ${host} is taken by ${owner(running)}.`, hint: `${advice(running)}${second}`, nextPort, url: originOf(host, port), other: otherProxy(running) };
};

/** The same as a failure, exit code 4. */
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
