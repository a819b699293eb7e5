// Puts the dashboard onto the terminal and takes it down again, whatever happens, with the sign-in in
// between when it is asked for. Prints nothing to the primary screen; its last word is returned as text.
import type { App } from "../app/app.ts";
import { sleep } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import { clockMinute, span } from "../lib/units.ts";
import { leadingAccount, tokenState } from "../state/select.ts";
import type { AppState } from "../state/state.ts";
import { createController } from "./controller.ts";
import type { ControllerDeps } from "./controller.ts";
import { glyphsFor } from "./theme.ts";
import { createWindow } from "./window.tsx";
import type { DashboardWindow, Output } from "./window.tsx";

export type LoginRequest = {
  /** Sign this account in again; null adds one. */
  readonly accountId: string | null;
  /** The program is stopping: give the terminal back. */
  readonly signal: AbortSignal;
};

export type DashboardDeps = {
  readonly app: Pick<App, "config" | "key" | "store" | "commands" | "stopped">;
  readonly stdout: Output;
  readonly stdin: NodeJS.ReadableStream;
  readonly clock: Clock;
  readonly copy: ControllerDeps["copy"];
  readonly ascii: boolean;
  /** Shows the sign-in on the primary screen; the dashboard is down until it resolves. */
  readonly login: (request: LoginRequest) => Promise<void>;
  /** Stops the process until the shell continues it (`edges/process.ts`). */
  readonly suspend: () => void;
  /** 99th percentile of the event loop's delay, milliseconds (`edges/process.ts`); null when unknown. */
  readonly loopDelayMs: () => number | null;
  /** Resident memory, bytes. */
  readonly memory: () => number | null;
  /** How a person calls this program in a shell. */
  readonly program: string;
};

export type RunningDashboard = {
  /** Resolves when the program has stopped and the terminal is given back, to one line for the primary screen. */
  readonly finished: Promise<string>;
  /** Gives the terminal back at once; may be called at any time and again. */
  unmount(): void;
};

/** Draws until the program has stopped. */
export const runDashboard = (deps: DashboardDeps): RunningDashboard => {
  const { app, clock } = deps;
  const unmount = mount(deps);
  return {
    finished: app.stopped.then(unmount, unmount).then(() => summaryLine(app.store.snapshot(), clock.now(), app.config.log.file)),
    unmount: () => void unmount(),
  };
};

// Opens the dashboard; the result takes it down for good.
const mount = (deps: DashboardDeps): (() => Promise<void>) => {
  const { clock, app } = deps;
  const ended = new AbortController();

  const signIn = async (accountId: string | null): Promise<void> => {
    if (!window.isOpen()) return;
    await window.close();
    try {
      await deps.login({ accountId, signal: ended.signal });
    } catch (error) {
      controller.say(error instanceof Error ? error.message : "The sign-in failed.", "error");
    }
    if (!ended.signal.aborted) window.open();
  };

  const controller = createController({
    app,
    clock,
    copy: deps.copy,
    memory: deps.memory,
    about: aboutOf(deps),
    glyphs: glyphsFor(deps.ascii),
    size: () => window.size(),
    login: (accountId) => void signIn(accountId),
    redraw: () => window.redraw(),
    suspend: () => window.lend(() => suspend(deps)),
    changed: () => window.urgent(),
  });
  const window: DashboardWindow = createWindow({ ...deps, controller });
  window.open();
  return () => {
    ended.abort();
    return window.close();
  };
};

const aboutOf = ({ app: { config, key }, program }: DashboardDeps): ControllerDeps["about"] => ({
  program,
  keyNeeded: key !== null && config.auth.required,
  leadMs: config.oauth.refreshLeadSeconds * 1000,
  drainSeconds: config.server.drainSeconds,
  upstream: URL.parse(config.upstream.baseUrl)?.host ?? config.upstream.baseUrl,
});

// The stop takes effect a moment after it was asked for: nothing may be drawn into the shell in between.
const suspend = async (deps: DashboardDeps): Promise<void> => {
  deps.suspend();
  await sleep(deps.clock, 100);
};

/** The line that the primary screen keeps: `served 1,210 requests in 3h12m, token valid until 21:42, log: FILE`. */
export const summaryLine = (state: AppState, now: number, logFile: string | null): string => {
  const { requests, server, accounts } = state;
  const count = requests.total.toLocaleString("en-US");
  const account = leadingAccount(accounts, now);
  const parts = [
    `served ${count} ${requests.total === 1 ? "request" : "requests"}${server.startedAt === null ? "" : ` in ${span(now - server.startedAt)}`}`,
    account === null ? null : tokenText(tokenState(account, now), account.expiresAt, now),
    logFile === null ? null : `log: ${logFile}`,
  ];
  return `claude-oauth-proxy: ${parts.filter((part) => part !== null).join(", ")}`;
};

const tokenText = (state: ReturnType<typeof tokenState>, expiresAt: number | null, now: number): string | null => {
  if (state === "needs-login") return "sign in again before the next start";
  if (state === "expired") return "token expired";
  return expiresAt === null || state === "disabled" ? null : `token valid until ${clockMinute(expiresAt, now)}`;
};
