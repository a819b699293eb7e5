// The proxy on a terminal: the first sign-in on the primary screen, then the dashboard until it stops.
import type { App } from "../app/app.ts";
import { AppError } from "../messages/errors.ts";
import { primarySequence, restoreSequence } from "./crash.ts";
import type { Settings } from "./settings.ts";
import { signIn } from "./sign-in.ts";
import type { SignInEnd } from "./sign-in.ts";
import type { ParsedArgs, ScreenWish, CliContext } from "./context.ts";

export type FrontWish = { readonly app: App; readonly screen: ScreenWish; readonly settings: Settings };

/** `pass-through`: chosen before the first sign-in; the proxy has been stopped so that it can start again in that mode. */
export type FrontEnd = "stopped" | "pass-through";

/** Resolves when the app has stopped and the terminal is given back. */
export const runFront = async (context: CliContext, args: ParsedArgs, { app, screen, settings }: FrontWish): Promise<FrontEnd> => {
  const stopping = new AbortController();
  void app.stopped.finally(() => stopping.abort());
  context.atCrash(() => void screen.stdout.write(primarySequence));
  const login = (accountId: string | null, signal: AbortSignal): Promise<SignInEnd> =>
    signIn(context, args, {
      screen,
      settings,
      commands: app.commands,
      subscribe: app.bus.subscribe,
      wish: accountId === null ? {} : { accountId },
      reason: accountId === null ? "no account yet: sign in once, the proxy then refreshes the token itself" : `account ${accountId} needs a new sign-in`,
      autoOpen: true,
      signal,
    });
  try {
    const first = needsFirstLogin(app) ? (await login(null, stopping.signal)).outcome : "cancelled";
    if (first === "quit" || first === "pass-through") {
      const wasStopped = stopping.signal.aborted;
      await app.commands.stop(first);
      return first === "pass-through" && !wasStopped ? "pass-through" : "stopped";
    }
    if (!stopping.signal.aborted) await dashboard(context, { app, screen }, login);
    await app.stopped;
    return "stopped";
  } finally {
    context.atCrash(null);
  }
};

const needsFirstLogin = ({ config, store }: App): boolean => config.mode === "oauth" && store.snapshot().accounts.length === 0;

type Login = (accountId: string | null, signal: AbortSignal) => Promise<SignInEnd>;

const dashboard = async (context: CliContext, { app, screen }: Pick<FrontWish, "app" | "screen">, login: Login): Promise<void> => {
  const screens = await context.parts.loadScreens(context);
  const running = screens.runDashboard({
    ...screen,
    app,
    async login({ accountId, signal }) {
      const { outcome } = await login(accountId, signal);
      if (outcome === "pass-through") throw new AppError({ code: "bad-usage", message: "Pass-through is kept as the mode; it holds from the next start." });
    },
  });
  context.atCrash(() => {
    running.unmount();
    screen.stdout.write(restoreSequence);
  });
  screen.stdout.write(`${await running.finished}\n`);
};
