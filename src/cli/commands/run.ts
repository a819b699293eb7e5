// `run -- CMD`: a proxy around one command. The command owns the terminal; the proxy writes to standard error only when
// something is wrong.
import { spawn } from "node:child_process";
import type { EventEmitter } from "node:events";
import { constants } from "node:os";
import type { App } from "../../app/app.ts";
import type { Config } from "../../config/schema.ts";
import { withoutPrivate } from "../../config/text.ts";
import type { Secret } from "../../lib/secret.ts";
import { visibleText } from "../../lib/visible-text.ts";
import { passesLevel } from "../../log/level.ts";
import type { LevelFilter } from "../../log/level.ts";
import { createBus } from "../../messages/bus.ts";
import { AppError } from "../../messages/errors.ts";
import { isSignInNeeded } from "../../state/select.ts";
import type { CliContext, Command, Environment, ParsedArgs } from "../context.ts";
import { startLogging } from "../logging.ts";
import { findRunning, lookAtPort, portTakenError, strangerText } from "../running.ts";
import { loadSettings, textOption } from "../settings.ts";
import type { Settings } from "../settings.ts";
import { exitCodes, stopOnSignals, takeOver } from "../signals.ts";
import { coreOptions, publishOpenDebugger, runningQuery } from "../with-store.ts";
import { clientEnvironment } from "./env.ts";

/** Exits with the command's code (128 + number after a signal, 127 when it does not exist, 126 when it may not run). */
export const run: Command = async (context, args) => {
  const settings = loadSettings(context, args);
  const query = await runningQuery(context, settings);
  const { key } = query;
  const running = wantsOwn(args) ? null : await findRunning({ ...query, lasting: true });
  if (running?.is === "ours" && running.health.mode === settings.config.mode && running.health.status !== "sign-in-needed") {
    return runCommand(context, args, { config: settings.config, baseUrl: running.url, key });
  }
  if (running?.is === "foreign" || running?.is === "other-folder") {
    context.stderr.write(`claude-oauth-proxy: ${strangerText(running, `at ${running.url}`)}; the command gets a proxy of its own\n`);
  }
  return withOwnProxy(context, args, { settings: onFreePort(settings, args), key });
};

// Anything that was asked of the proxy itself is answered by a proxy of its own.
const wantsOwn = ({ options, global }: ParsedArgs): boolean => global.set.length > 0 || Object.values(options).some((value) => value !== undefined);

const onFreePort = (settings: Settings, { options }: ParsedArgs): Settings =>
  options["port"] === undefined ? { ...settings, config: { ...settings.config, server: { ...settings.config.server, port: 0 } } } : settings;

type Keyed = { readonly settings: Settings; readonly key: Secret };

const withOwnProxy = async (context: CliContext, args: ParsedArgs, { settings, key }: Keyed): Promise<number> => {
  const { log } = settings.config;
  const bus = createBus(context.clock);
  bus.hide(() => [key]);
  const logging = await startLogging({
    bus,
    process: context.signals,
    log,
    stream: { output: context.stderr, level: atLeastWarn(log.level) },
    uid: context.uid,
    record: textOption(args, "record"),
    onFault: (message) => void context.stderr.write(`claude-oauth-proxy: ${message}\n`),
  });
  try {
    const app = await context.parts.createApp({ ...coreOptions(context, settings, bus), accountId: textOption(args, "account"), forOneCommand: true });
    publishOpenDebugger(context, app.bus);
    return await withStarted(context, args, { app, settings, key });
  } finally {
    await logging.stop();
  }
};

const atLeastWarn = (level: LevelFilter): LevelFilter => (level === "silent" || passesLevel(level, "warn") ? level : "warn");

const withStarted = async (context: CliContext, args: ParsedArgs, { app, settings, key }: Keyed & { readonly app: App }): Promise<number> => {
  // Until the command takes them over: a token may be on its way already.
  const early = stopOnSignals(context, app, null);
  const { url } = await startOrExplain(context, app, settings);
  try {
    refuseWithoutAccount(app, context.clock.now());
    const ended = early.ended();
    if (ended !== null) return exitCodes[ended];
    return await runCommand(context, args, { config: settings.config, baseUrl: url, key: app.key ?? key });
  } finally {
    // A signal after the end of the command means: do not wait for what it left open.
    stopOnSignals(context, app, null);
    await app.commands.stop("run finished");
  }
};

const startOrExplain = async (context: CliContext, app: App, settings: Settings): ReturnType<App["start"]> => {
  try {
    return await app.start();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "port-taken") throw error;
    throw portTakenError(await lookAtPort(await runningQuery(context, settings)), error);
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

type Target = { readonly config: Config; readonly baseUrl: string; readonly key: Secret };

const runCommand = async (context: CliContext, args: ParsedArgs, { config, baseUrl, key }: Target): Promise<number> => {
  const { environment, signals, stdin, stderr } = context;
  const { variables, warnings } = clientEnvironment({ config, baseUrl, key, environment });
  for (const warning of warnings) stderr.write(`claude-oauth-proxy: ${warning}\n`);
  return runChild({
    command: args.positionals,
    environment: { ...withoutPrivate(environment), ...Object.fromEntries(variables) },
    signals,
    isTerminal: stdin.isTTY === true,
    write: (text) => void stderr.write(text),
  });
};

export type ChildOptions = {
  /** The command and its arguments; never passed through a shell. */
  readonly command: readonly string[];
  readonly environment: Environment;
  /** Where our own signals arrive. */
  readonly signals: EventEmitter;
  /** On a terminal Ctrl+C reaches the child by itself; sending it again would count as a second press. */
  readonly isTerminal: boolean;
  readonly write: (text: string) => void;
};

/**
 * Runs one child process with our own terminal. Resolves to the exit code when it has ended: its own, 128 + signal,
 * 127 not found, 126 not allowed. The signal listeners stay until a `takeOver` removes them.
 */
export const runChild = ({ command: [file = "", ...rest], environment, signals, isTerminal, write }: ChildOptions): Promise<number> =>
  new Promise((resolve) => {
    // Before the child exists: another process may see it, and signal its parent, before `spawn` has returned.
    forwardSignals(signals, isTerminal, (name) => void child.kill(name));
    const child = spawn(file, rest, { stdio: "inherit", env: { ...environment } });
    child.once("error", (error: NodeJS.ErrnoException) => {
      write(`claude-oauth-proxy: ${visibleText(file)} could not be started (${error.code ?? "unknown error"}).\n  Check the name and whether it may be executed.\n`);
      resolve(error.code === "EACCES" ? 126 : 127);
    });
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });

const forwardSignals = (signals: EventEmitter, isTerminal: boolean, send: (name: NodeJS.Signals) => void): void => {
  const names = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
  takeOver(
    signals,
    names.map((name) => {
      const fromTerminal = isTerminal && (name === "SIGINT" || name === "SIGQUIT");
      return [name, () => void (fromTerminal || send(name))];
    }),
  );
};
