// `start`, and what happens without any command: one proxy from start to stop with the front end that fits, the
// dashboard on a terminal and log lines elsewhere. `demo` shares it.
import type { App, Listening } from "../../app/app.ts";
import { sleep } from "../../lib/clock.ts";
import { isLoopback } from "../../lib/host.ts";
import { createBus } from "../../messages/bus.ts";
import { AppError } from "../../messages/errors.ts";
import { isSignInNeeded } from "../../state/select.ts";
import type { CliContext, Command, ParsedArgs, Screen } from "../context.ts";
import { startLogging } from "../logging.ts";
import { lookAtPort, portTakenError } from "../running.ts";
import type { TakenPort } from "../running.ts";
import { loadSettings, textOption } from "../settings.ts";
import type { Settings } from "../settings.ts";
import { signIn } from "../sign-in.ts";
import type { SignInEnd } from "../sign-in.ts";
import { exitCodes, stopOnSignals } from "../signals.ts";
import { primarySequence, restoreSequence, screenOf, unblock } from "../terminal.ts";
import { coreOptions, publishOpenDebugger, runningQuery } from "../with-store.ts";

export const start: Command = async (context, args) => serve(context, args, loadSettings(context, args));

/** Called when the proxy listens, before the front end starts; `drawn` says whether that is a dashboard. */
export type OnListening = (app: App, listening: Listening, drawn: boolean) => Promise<void>;

/** Runs until it is stopped from the screen, by a signal or by a command. Throws `AppError` (port-taken, store-…). */
export const serve = async (context: CliContext, args: ParsedArgs, settings: Settings, onListening: OnListening = async () => {}): Promise<number> => {
  // Only at the very end: what a slow terminal has not taken yet must still be able to wait.
  context.signals.once("exit", unblock([context.stdout, context.stderr]));
  return serveOnce({ context, args, settings, onListening, screen: screenOf(context, args) });
};

type Serving = {
  readonly context: CliContext;
  readonly args: ParsedArgs;
  readonly settings: Settings;
  readonly onListening: OnListening;
  /** Null: log lines instead. */
  readonly screen: Screen | null;
};

const serveOnce = async (serving: Serving): Promise<number> => {
  const { context, args, settings, screen } = serving;
  const { log } = settings.config;
  const bus = createBus(context.clock);
  const logging = await startLogging({
    bus,
    process: context.signals,
    log,
    stream: screen === null ? { output: context.stdout, level: log.level } : null,
    uid: context.uid,
    record: textOption(args, "record"),
    onFault: (message) => bus.publish({ type: "notice", level: "error", code: "log-unwritable", message, hint: "free some space, or choose another file" }),
  });
  try {
    const app = await context.parts.createApp({ ...coreOptions(context, settings, bus), accountId: textOption(args, "account") });
    publishOpenDebugger(context, app.bus);
    const { end, code } = await untilStopped(serving, app);
    return end === "pass-through" ? await serveOnce(inPassThrough(serving)) : code;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "port-taken") throw error;
    const taken = await lookAtPort(await runningQuery(context, settings));
    if (screen === null) throw portTakenError(taken, error);
    return await askPortTaken(serving, screen, taken);
  } finally {
    await logging.stop();
  }
};

/** `pass-through`: chosen before the first sign-in; the proxy has stopped so that it can start again in that mode. */
type FrontEnd = "stopped" | "pass-through";

const untilStopped = async (serving: Serving, app: App): Promise<{ readonly end: FrontEnd; readonly code: number }> => {
  const { context, screen, onListening } = serving;
  // Before anything says that it listens: a signal that comes right then must not get lost.
  const signals = stopOnSignals(context, app, screen === null ? null : context.stdin);
  try {
    const listening = await app.start();
    await onListening(app, listening, screen !== null);
    if (screen === null) publishSignInHint(app, { url: listening.url, now: context.clock.now() });
    const end = screen === null ? "stopped" : await Promise.race([draw(serving, app, screen), afterFarewell(context, app)]);
    await app.stopped;
    const ended = signals.ended();
    return { end: ended === null ? end : "stopped", code: ended === null ? 0 : exitCodes[ended] };
  } catch (error) {
    await app.commands.stop("failed");
    throw error;
  } finally {
    signals.dispose();
  }
};

// Says how to sign in when no account can serve yet; the proxy keeps running and picks a new account up.
const publishSignInHint = ({ bus, config, store }: App, { url, now }: { readonly url: string; readonly now: number }): void => {
  if (config.mode !== "oauth" || !isSignInNeeded(store.snapshot().accounts, now)) return;
  bus.publish({
    type: "notice",
    level: "warning",
    code: "sign-in-needed",
    message: "no account can serve yet, requests are answered with 503",
    hint: `sign in with \`claude-oauth-proxy login\` or at ${url}/auth/device`,
  });
};

/** How long a screen may take to give the terminal back once everything behind it has stopped. */
const longestFarewellMs = 2000;

// A screen waits until the terminal has taken its last bytes, and one that has stopped reading never does.
const afterFarewell = async ({ clock }: CliContext, app: App): Promise<FrontEnd> => {
  await app.stopped;
  await sleep(clock, longestFarewellMs);
  return "stopped";
};

// The first sign-in on the primary screen, then the dashboard. Resolves when the app has stopped and the terminal is given back.
const draw = async (serving: Serving, app: App, screen: Screen): Promise<FrontEnd> => {
  const { context } = serving;
  const stopping = new AbortController();
  void app.stopped.finally(() => stopping.abort());
  context.atCrash(() => void screen.stdout.write(primarySequence));
  try {
    const first = needsFirstLogin(app) ? (await login(serving, app, { screen, accountId: null, signal: stopping.signal })).outcome : "cancelled";
    if (first === "quit" || first === "pass-through") {
      const wasStopped = stopping.signal.aborted;
      await app.commands.stop(first);
      return first === "pass-through" && !wasStopped ? "pass-through" : "stopped";
    }
    if (!stopping.signal.aborted) await drawDashboard(serving, app, screen);
    await app.stopped;
    return "stopped";
  } finally {
    context.atCrash(null);
  }
};

const needsFirstLogin = ({ config, store }: App): boolean => config.mode === "oauth" && store.snapshot().accounts.length === 0;

type LoginRequest = { readonly screen: Screen; readonly accountId: string | null; readonly signal: AbortSignal };

const login = ({ context, args, settings }: Serving, { commands, bus }: App, { screen, accountId, signal }: LoginRequest): Promise<SignInEnd> =>
  signIn(context, args, {
    screen,
    settings,
    commands,
    subscribe: bus.subscribe,
    login: accountId === null ? {} : { accountId },
    reason: accountId === null ? "no account yet: sign in once, the proxy then refreshes the token itself" : `account ${accountId} needs a new sign-in`,
    autoOpen: true,
    signal,
  });

const drawDashboard = async (serving: Serving, app: App, screen: Screen): Promise<void> => {
  const { context } = serving;
  const screens = await context.parts.loadScreens(context);
  const running = screens.runDashboard({
    ...screen,
    app,
    async login({ accountId, signal }) {
      const { outcome } = await login(serving, app, { screen, accountId, signal });
      if (outcome === "pass-through") throw new AppError({ code: "bad-usage", message: "Pass-through is kept as the mode; it holds from the next start." });
    },
  });
  context.atCrash(() => {
    running.unmount();
    screen.stdout.write(restoreSequence);
  });
  screen.stdout.write(`${await running.finished}\n`);
};

const withConfig = (serving: Serving, change: Partial<Settings["config"]>): Serving => ({
  ...serving,
  settings: { ...serving.settings, config: { ...serving.settings.config, ...change } },
});

// The client keeps its own login from now on, and on loopback no key is asked for.
const inPassThrough = (serving: Serving): Serving => {
  const { originOf, config } = serving.settings;
  const required = originOf("auth.required").from === "default" ? !isLoopback(config.server.host) : config.auth.required;
  return withConfig(serving, { mode: "pass-through", auth: { required } });
};

const askPortTaken = async (serving: Serving, screen: Screen, { other, nextPort, url }: TakenPort): Promise<number> => {
  const { context, settings } = serving;
  const { host, port } = settings.config.server;
  const screens = await context.parts.loadScreens(context);
  const choice = await screens.askPortTaken({ ...screen, facts: { version: context.version, host, port, other, nextPort } });
  if (choice === "use-that") context.stdout.write(`${url}\n`);
  if (choice !== "next-port" || nextPort === null) return choice === "use-that" ? 0 : 4;
  return serveOnce(withConfig(serving, { server: { ...settings.config.server, port: nextPort } }));
};
