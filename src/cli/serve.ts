// One proxy from start to stop, with the front end that fits: what `start` and `demo` share.
import type { App, Listening } from "../app/app.ts";
import { AppError } from "../messages/errors.ts";
import { tellHowToSignIn } from "./headless.ts";
import { startLogging } from "./logging.ts";
import { lookAtPort, portTakenError } from "./port-taken.ts";
import type { Settings } from "./settings.ts";
import { exitCodes, watchSignals } from "./signals.ts";
import { openingOf, withOpenStore } from "./with-store.ts";
import type { Given, ScreenWish, World } from "./world.ts";

/** Told where the proxy listens, before the front end starts; `drawn` says whether that is a dashboard. */
export type OnListening = (app: App, listening: Listening, drawn: boolean) => Promise<void>;

/** Runs until it is stopped from the screen, by a signal or by a command. Throws `AppError` (port-taken, store-…). */
export const serve = async (world: World, given: Given, settings: Settings, onListening: OnListening = async () => {}): Promise<number> =>
  serveOnce({ world, given, settings, onListening, screen: await screenOf(world, given) });

type Serving = {
  readonly world: World;
  readonly given: Given;
  readonly settings: Settings;
  readonly onListening: OnListening;
  /** Null: log lines instead. */
  readonly screen: ScreenWish | null;
};

const screenOf = async (world: World, { options, everywhere }: Given): Promise<ScreenWish | null> => {
  if (options["headless"] === true || options["plain"] === true) return null;
  const screen: ScreenWish = { stdin: world.stdin, stdout: world.stdout, environment: world.environment, ascii: everywhere.ascii };
  return (await world.parts.canDraw(screen)) ? screen : null;
};

const serveOnce = async (serving: Serving): Promise<number> => {
  const { world, given, settings, screen } = serving;
  const { account, record } = given.options;
  const app = await world.parts.createApp({ ...openingOf(world, settings), accountId: typeof account === "string" ? account : null });
  const logging = await startLogging({
    app,
    stream: screen === null ? { output: world.stdout, level: settings.config.log.level } : null,
    record: typeof record === "string" ? record : null,
    onFault: (message) => app.bus.publish({ type: "notice", level: "error", code: "log-unwritable", message, hint: "free some space, or choose another file" }),
  });
  try {
    return await untilStopped(serving, app);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "port-taken") throw error;
    return await portTaken(serving, app, error);
  } finally {
    await logging.stop();
  }
};

const untilStopped = async ({ world, screen, onListening }: Serving, app: App): Promise<number> => {
  const listening = await app.start();
  const signals = watchSignals({
    process: world.signals,
    terminalInput: screen === null ? null : world.stdin,
    stop: (reason) => app.commands.stop(reason),
    after: (callback, ms) => void world.clock.setTimeout(callback, ms),
    exit: world.exit,
  });
  try {
    await onListening(app, listening, screen !== null);
    if (screen === null) tellHowToSignIn(app, listening.url);
    else await world.parts.runDashboard(app, screen);
    await app.stopped;
    const ended = signals.ended();
    return ended === null ? 0 : exitCodes[ended];
  } finally {
    signals.dispose();
  }
};

const portTaken = async (serving: Serving, app: App, error: AppError): Promise<number> => {
  const { world, settings, screen } = serving;
  const { host, port } = settings.config.server;
  const key = app.key ?? (await withOpenStore(world, settings, async (store) => store.key));
  const taken = await lookAtPort({ host, port, key, fetch: world.fetch });
  if (screen === null) throw portTakenError(taken, error);
  const choice = await world.parts.askPortTaken({ ...screen, message: taken.message, port, nextPort: taken.nextPort });
  if (choice === "quit" || taken.nextPort === null) return 4;
  const config = { ...settings.config, server: { ...settings.config.server, port: taken.nextPort } };
  return serveOnce({ ...serving, settings: { ...settings, config } });
};
