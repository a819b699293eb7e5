// Puts the dashboard onto the terminal and takes it down again, whatever happens, with the sign-in in
// between when it is asked for. Prints nothing to the primary screen; its last word is returned as text.
import type { App } from "../app/app.ts";
import { sleep } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import { createController } from "./controller.ts";
import type { ControllerDeps } from "./controller.ts";
import { summaryLine } from "./summary.ts";
import { glyphsFor } from "./theme.ts";
import { createWindow, sizeOf } from "./window.tsx";
import type { DrawingWindow, Output } from "./window.tsx";

export type LoginWish = {
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
  readonly login: (wish: LoginWish) => Promise<void>;
  /** Stops the process until the shell continues it (`edges/this-process.ts`). */
  readonly freeze: () => void;
  /** 99th percentile of the event loop's delay, milliseconds (`loop-delay.ts`); null when unknown. */
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
  const stage = createStage(deps);
  stage.mount();
  const finished = deps.app.stopped.then(
    () => stage.close(),
    () => stage.close(),
  );
  return {
    finished: finished.then(() => summaryLine(deps.app.store.snapshot(), deps.clock.now(), deps.app.config.log.file)),
    unmount: () => void stage.close(),
  };
};

type Stage = { mount(): void; close(): Promise<void> };

const createStage = (deps: DashboardDeps): Stage => {
  const { clock, app } = deps;
  const ended = new AbortController();
  const held: { current: DrawingWindow | null } = { current: null };

  const signIn = async (accountId: string | null): Promise<void> => {
    if (!held.current?.isOpen()) return;
    await held.current.close();
    try {
      await deps.login({ accountId, signal: ended.signal });
    } catch (error) {
      controller.say(error instanceof Error ? error.message : "The sign-in failed.", "error");
    }
    if (!ended.signal.aborted) held.current.open();
  };

  const controller = createController({
    app,
    clock,
    copy: deps.copy,
    memory: deps.memory,
    about: aboutOf(deps),
    glyphs: glyphsFor(deps.ascii),
    size: () => held.current?.size() ?? sizeOf(deps.stdout),
    login: (accountId) => void signIn(accountId),
    redraw: () => held.current?.redraw(),
    freeze: async () => held.current?.suspended(() => frozen(deps)),
    changed: () => held.current?.urgent(),
  });
  held.current = createWindow({ ...deps, controller });
  return {
    mount: () => held.current?.open(),
    async close() {
      ended.abort();
      await held.current?.close();
    },
  };
};

const aboutOf = ({ app: { config, key }, program }: DashboardDeps): ControllerDeps["about"] => ({
  program,
  keyNeeded: key !== null && config.auth.required,
  leadMs: config.oauth.refreshLeadSeconds * 1000,
  drainSeconds: config.server.drainSeconds,
  upstream: URL.canParse(config.upstream.baseUrl) ? new URL(config.upstream.baseUrl).host : config.upstream.baseUrl,
});

// The stop takes effect a moment after it was asked for: nothing may be drawn into the shell in between.
const frozen = async ({ freeze, clock }: DashboardDeps): Promise<void> => {
  freeze();
  await sleep(clock, 100);
};
