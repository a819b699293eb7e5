// `run -- CMD`: a proxy around one command. The command owns the terminal; the proxy speaks up on
// standard error only when something is wrong.
import type { App } from "../../app/app.ts";
import type { Config } from "../../config/schema.ts";
import { originOf } from "../../lib/host.ts";
import { passesLevel } from "../../log/level.ts";
import type { LevelFilter } from "../../log/level.ts";
import type { Secret } from "../../lib/secret.ts";
import { createBus } from "../../messages/bus.ts";
import { AppError } from "../../messages/errors.ts";
import { isSignInNeeded } from "../../state/select.ts";
import { clientEnvironment } from "../client-environment.ts";
import { startLogging } from "../logging.ts";
import { lookAtPort, portTakenError } from "../port-taken.ts";
import { privateVariables } from "../private-variables.ts";
import { runChild } from "./run-child.ts";
import { findRunning } from "../running.ts";
import { loadSettings } from "../settings.ts";
import type { Settings } from "../settings.ts";
import { exitCodes } from "../signals.ts";
import { stopOnSignals } from "../stop-on-signals.ts";
import { localKeyOf, openingOf } from "../with-store.ts";
import type { Command, ParsedArgs, CliContext } from "../context.ts";

/** Exits with the command's code (128 + number after a signal, 127 when it does not exist, 126 when it may not run). */
export const run: Command = async (context, args) => {
  const settings = loadSettings(context, args);
  const key = await localKeyOf(context, settings);
  const running = wantsOwn(args) ? null : await findRunning({ ...settings.config.server, key, fetch: context.fetch });
  if (running?.is === "ours" && running.health.mode === settings.config.mode && running.health.status !== "sign-in-needed") {
    return around(context, args, { config: settings.config, baseUrl: running.url, key });
  }
  return withOwnProxy(context, args, { settings: onFreePort(settings, args), key });
};

// Anything that was asked of the proxy itself is answered by a proxy of its own.
const wantsOwn = ({ options, global }: ParsedArgs): boolean => global.set.length > 0 || Object.values(options).some((value) => value !== undefined);

const onFreePort = (settings: Settings, { options }: ParsedArgs): Settings =>
  options["port"] === undefined ? { ...settings, config: { ...settings.config, server: { ...settings.config.server, port: 0 } } } : settings;

const withOwnProxy = async (context: CliContext, args: ParsedArgs, { settings, key }: { settings: Settings; key: Secret }): Promise<number> => {
  const { account, record } = args.options;
  const bus = createBus(context.clock);
  const logging = await startLogging({
    bus,
    process: context.signals,
    log: settings.config.log,
    stream: { output: context.stderr, level: atLeastWarn(settings.config.log.level) },
    record: typeof record === "string" ? record : null,
    onFault: (message) => void context.stderr.write(`claude-oauth-proxy: ${message}\n`),
  });
  logging.hide(key);
  try {
    const app = await context.parts.createApp({ ...openingOf(context, settings, bus), accountId: typeof account === "string" ? account : null });
    return await withStarted(context, args, { app, settings, key });
  } finally {
    await logging.stop();
  }
};

const withStarted = async (context: CliContext, args: ParsedArgs, { app, settings, key }: { app: App; settings: Settings; key: Secret }): Promise<number> => {
  // Until the command takes them over: a token may be on its way already.
  const early = stopOnSignals(context, app, null);
  const { host, port } = await startOrExplain(context, app, { settings, key });
  try {
    refuseWithoutAccount(app, context.clock.now());
    const ended = early.ended();
    if (ended !== null) return exitCodes[ended];
    return await around(context, args, { config: settings.config, baseUrl: originOf(host, port), key: app.key ?? key });
  } finally {
    // Who still sends one after the command has ended does not want to wait for what it left open.
    stopOnSignals(context, app, null);
    await app.commands.stop("run finished");
  }
};

const atLeastWarn = (level: LevelFilter): LevelFilter => (level === "silent" || passesLevel(level, "warn") ? level : "warn");

const startOrExplain = async (context: CliContext, app: App, { settings, key }: { settings: Settings; key: Secret }): ReturnType<App["start"]> => {
  try {
    return await app.start();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "port-taken") throw error;
    const { host, port } = settings.config.server;
    throw portTakenError(await lookAtPort({ host, port, key, fetch: context.fetch }), error);
  }
};

const refuseWithoutAccount = ({ config, store }: App, now: number): void => {
  if (config.mode !== "oauth" || !isSignInNeeded(store.snapshot().accounts, now)) return;
  throw new AppError({
    code: "sign-in-needed",
    message: "There is no account that could serve the command.",
    hint: "Sign in with `claude-oauth-proxy login`, or let the client keep its own login: claude-oauth-proxy run --mode pass-through -- COMMAND",
  });
};

type Place = { readonly config: Config; readonly baseUrl: string; readonly key: Secret };

const around = async (context: CliContext, args: ParsedArgs, { config, baseUrl, key }: Place): Promise<number> => {
  const { variables, warnings } = clientEnvironment({ config, baseUrl, key, environment: context.environment });
  for (const warning of warnings) context.stderr.write(`claude-oauth-proxy: ${warning}\n`);
  const inherited = Object.entries(context.environment).filter(([name]) => !privateVariables.includes(name));
  return runChild({
    words: args.positionals,
    environment: Object.fromEntries([...inherited, ...variables]),
    signals: context.signals,
    isTerminal: context.stdin.isTTY === true,
    tell: (text) => void context.stderr.write(text),
  });
};
