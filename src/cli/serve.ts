// One proxy from start to stop, with the front end that fits: what `start` and `demo` share.
import type { App, Listening } from "../app/app.ts";
import { sleep } from "../lib/clock.ts";
import { isLoopback } from "../lib/host.ts";
import { createBus } from "../messages/bus.ts";
import type { Bus } from "../messages/bus.ts";
import { AppError } from "../messages/errors.ts";
import { runFront } from "./front.ts";
import type { FrontEnd } from "./front.ts";
import { tellHowToSignIn } from "./headless.ts";
import { startLogging } from "./logging.ts";
import { lookAtPort, portTakenError } from "./port-taken.ts";
import type { Settings } from "./settings.ts";
import { exitCodes } from "./signals.ts";
import { stopOnSignals } from "./stop-on-signals.ts";
import { screenOf } from "./terminal.ts";
import { unblock } from "./unblock.ts";
import { localKeyOf, openingOf } from "./with-store.ts";
import type { ParsedArgs, ScreenWish, CliContext } from "./context.ts";

/** Told where the proxy listens, before the front end starts; `drawn` says whether that is a dashboard. */
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
  readonly screen: ScreenWish | null;
};

const serveOnce = async (serving: Serving): Promise<number> => {
  const { context, args, settings, screen } = serving;
  const { account } = args.options;
  const bus = createBus(context.clock);
  const log = await logOf(serving, bus);
  try {
    const app = await context.parts.createApp({ ...openingOf(context, settings, bus), accountId: typeof account === "string" ? account : null });
    log.hide(app.key);
    const { end, code } = await untilStopped(serving, app);
    return end === "pass-through" ? await serveOnce(inPassThrough(serving)) : code;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "port-taken" || screen === null) throw await explained(serving, error);
    return await askPortTaken(serving);
  } finally {
    await log.stop();
  }
};

const logOf = ({ args, settings, screen, context }: Serving, bus: Bus): ReturnType<typeof startLogging> => {
  const { record } = args.options;
  return startLogging({
    bus,
    process: context.signals,
    log: settings.config.log,
    stream: screen === null ? { output: context.stdout, level: settings.config.log.level } : null,
    record: typeof record === "string" ? record : null,
    onFault: (message) => bus.publish({ type: "notice", level: "error", code: "log-unwritable", message, hint: "free some space, or choose another file" }),
  });
};

const untilStopped = async (serving: Serving, app: App): Promise<{ readonly end: FrontEnd; readonly code: number }> => {
  const { context, args, settings, screen, onListening } = serving;
  // Before anything says that it listens: a signal that comes right then must not get lost.
  const signals = stopOnSignals(context, app, screen === null ? null : context.stdin);
  try {
    const listening = await app.start();
    await onListening(app, listening, screen !== null);
    if (screen === null) tellHowToSignIn(app, { url: listening.url, now: context.clock.now() });
    const end = screen === null ? "stopped" : await Promise.race([runFront(context, args, { app, screen, settings }), waitedFor(context, app)]);
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

/** How long a screen may take to give the terminal back once everything behind it has stopped. */
const longestFarewellMs = 2000;

// A screen waits until the terminal has taken its last bytes, and one that has stopped reading never does.
const waitedFor = async ({ clock }: CliContext, app: App): Promise<FrontEnd> => {
  await app.stopped;
  await sleep(clock, longestFarewellMs);
  return "stopped";
};

const withConfig = (serving: Serving, change: Partial<Settings["config"]>): Serving => ({
  ...serving,
  settings: { ...serving.settings, config: { ...serving.settings.config, ...change } },
});

// The client keeps its own login from now on, and on loopback nobody has to show a key.
const inPassThrough = (serving: Serving): Serving => {
  const { originOf, config } = serving.settings;
  const required = originOf("auth.required").from === "default" ? !isLoopback(config.server.host) : config.auth.required;
  return withConfig(serving, { mode: "pass-through", auth: { required } });
};

const lookedAt = async ({ context, settings }: Serving): ReturnType<typeof lookAtPort> => {
  const { host, port } = settings.config.server;
  return lookAtPort({ host, port, key: await localKeyOf(context, settings), fetch: context.fetch });
};

const explained = async (serving: Serving, error: unknown): Promise<unknown> =>
  error instanceof AppError && error.code === "port-taken" ? portTakenError(await lookedAt(serving), error) : error;

const askPortTaken = async (serving: Serving): Promise<number> => {
  const { context, screen, settings } = serving;
  const taken = await lookedAt(serving);
  if (screen === null) return 4;
  const { host, port } = settings.config.server;
  const screens = await context.parts.loadScreens(context);
  const facts = { version: context.version, host, port, other: taken.other, nextPort: taken.nextPort };
  const choice = await screens.askPortTaken({ ...screen, facts });
  if (choice === "use-that") context.stdout.write(`${taken.url}\n`);
  if (choice !== "next-port" || taken.nextPort === null) return choice === "use-that" ? 0 : 4;
  return serveOnce(withConfig(serving, { server: { ...settings.config.server, port: taken.nextPort } }));
};
