// `run -- CMD`: a proxy around one command. The command owns the terminal; the proxy speaks up on
// standard error only when something is wrong.
import type { App } from "../app/app.ts";
import type { Config } from "../config/schema.ts";
import { originOf } from "../lib/host.ts";
import { passesLevel } from "../log/level.ts";
import type { LevelFilter } from "../log/level.ts";
import type { Secret } from "../lib/secret.ts";
import { createBus } from "../messages/bus.ts";
import { AppError } from "../messages/errors.ts";
import { clientEnvironment } from "./client-environment.ts";
import { startLogging } from "./logging.ts";
import { lookAtPort, portTakenError } from "./port-taken.ts";
import { privateVariables } from "./private-variables.ts";
import { runChild } from "./run-child.ts";
import { findRunning } from "./running.ts";
import { loadSettings } from "./settings.ts";
import type { Settings } from "./settings.ts";
import { exitCodes } from "./signals.ts";
import { stopOnSignals } from "./stop-on-signals.ts";
import { localKeyOf, openingOf } from "./with-store.ts";
import type { Command, Given, World } from "./world.ts";

/** Exits with the command's code (128 + number after a signal, 127 when it does not exist, 126 when it may not run). */
export const run: Command = async (world, given) => {
  const settings = loadSettings(world, given);
  const key = await localKeyOf(world, settings);
  const running = wantsOwn(given) ? null : await findRunning({ ...settings.config.server, key, fetch: world.fetch });
  if (running?.is === "ours" && running.health.mode === settings.config.mode && running.health.status !== "sign-in-needed") {
    return around(world, given, { config: settings.config, baseUrl: running.url, key });
  }
  return withOwnProxy(world, given, { settings: onFreePort(settings, given), key });
};

// Anything that was asked of the proxy itself is answered by a proxy of its own.
const wantsOwn = ({ options, everywhere }: Given): boolean => everywhere.set.length > 0 || Object.values(options).some((value) => value !== undefined);

const onFreePort = (settings: Settings, { options }: Given): Settings =>
  options["port"] === undefined ? { ...settings, config: { ...settings.config, server: { ...settings.config.server, port: 0 } } } : settings;

const withOwnProxy = async (world: World, given: Given, { settings, key }: { settings: Settings; key: Secret }): Promise<number> => {
  const { account, record } = given.options;
  const bus = createBus(world.clock);
  const logging = await startLogging({
    bus,
    process: world.signals,
    log: settings.config.log,
    stream: { output: world.stderr, level: atLeastWarn(settings.config.log.level) },
    record: typeof record === "string" ? record : null,
    onFault: (message) => void world.stderr.write(`claude-oauth-proxy: ${message}\n`),
  });
  logging.hide(key);
  try {
    const app = await world.parts.createApp({ ...openingOf(world, settings, bus), accountId: typeof account === "string" ? account : null });
    return await withStarted(world, given, { app, settings, key });
  } finally {
    await logging.stop();
  }
};

const withStarted = async (world: World, given: Given, { app, settings, key }: { app: App; settings: Settings; key: Secret }): Promise<number> => {
  // Until the command takes them over: a token may be on its way already.
  const early = stopOnSignals(world, app, null);
  const { host, port } = await startOrExplain(world, app, { settings, key });
  try {
    refuseWithoutAccount(app);
    const ended = early.ended();
    if (ended !== null) return exitCodes[ended];
    return await around(world, given, { config: settings.config, baseUrl: originOf(host, port), key: app.key ?? key });
  } finally {
    // Who still sends one after the command has ended does not want to wait for what it left open.
    stopOnSignals(world, app, null);
    await app.commands.stop("run finished");
  }
};

const atLeastWarn = (level: LevelFilter): LevelFilter => (level === "silent" || passesLevel(level, "warn") ? level : "warn");

const startOrExplain = async (world: World, app: App, { settings, key }: { settings: Settings; key: Secret }): ReturnType<App["start"]> => {
  try {
    return await app.start();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "port-taken") throw error;
    const { host, port } = settings.config.server;
    throw portTakenError(await lookAtPort({ host, port, key, fetch: world.fetch }), error);
  }
};

const refuseWithoutAccount = ({ config, store }: App): void => {
  if (config.mode !== "oauth" || store.snapshot().accounts.some(({ health }) => health !== "needs-login" && health !== "disabled")) return;
  throw new AppError({
    code: "sign-in-needed",
    message: "There is no account that could serve the command.",
    hint: "Sign in with `claude-oauth-proxy login`, or let the client keep its own login: claude-oauth-proxy run --mode pass-through -- COMMAND",
  });
};

type Place = { readonly config: Config; readonly baseUrl: string; readonly key: Secret };

const around = async (world: World, given: Given, { config, baseUrl, key }: Place): Promise<number> => {
  const { variables, warnings } = clientEnvironment({ config, baseUrl, key, environment: world.environment });
  for (const warning of warnings) world.stderr.write(`claude-oauth-proxy: ${warning}\n`);
  const inherited = Object.entries(world.environment).filter(([name]) => !privateVariables.includes(name));
  return runChild({
    words: given.words,
    environment: Object.fromEntries([...inherited, ...variables]),
    signals: world.signals,
    isTerminal: world.stdin.isTTY === true,
    tell: (text) => void world.stderr.write(text),
  });
};
