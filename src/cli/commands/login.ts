// `login`: sign in and exit. On a terminal the sign-in screen, elsewhere one line from standard input.
import type { OpenStore } from "../../app/open-store.ts";
import type { StartLogin } from "../../messages/commands.ts";
import { AppError } from "../../messages/errors.ts";
import { runPlainLogin } from "../../tui/screens/login-plain.ts";
import type { PlainLoginEnd } from "../../tui/screens/login-plain.ts";
import { ownEndpoints } from "../own-endpoints.ts";
import { askLine } from "../prompt.ts";
import { keepAnswer, signIn } from "../sign-in.ts";
import type { SignInEnd } from "../sign-in.ts";
import { screenOf } from "../terminal.ts";
import { withStore } from "../with-store.ts";
import type { Command, ParsedArgs, ScreenWish, CliContext } from "../context.ts";
import type { Settings } from "../settings.ts";

/** Exit code 0 signed in, 1 refused or given up, 130 after Ctrl+C. */
export const login: Command = (context, args) =>
  withStore(context, args, async (store, settings) => {
    if (settings.config.mode === "pass-through") throw passThrough();
    const screen = screenOf(context, args);
    return screen === null ? byLine(context, args, { store, settings }) : onScreen(context, args, { store, settings, screen });
  });

const passThrough = (): AppError =>
  new AppError({ code: "bad-usage", message: "In pass-through mode the client keeps its own login; there is nothing to sign in.", hint: "claude-oauth-proxy login --set mode=oauth" });

const wishOf = (args: ParsedArgs): StartLogin => ({
  kind: args.options["console"] === true ? "console" : "max",
  ...(typeof args.options["account"] === "string" ? { accountId: args.options["account"] } : {}),
  ...ownEndpoints(args),
});

type Place = { readonly store: OpenStore; readonly settings: Settings };

const onScreen = async (context: CliContext, args: ParsedArgs, { store, settings, screen }: Place & { readonly screen: ScreenWish }): Promise<number> => {
  const end = await signIn(context, args, {
    screen,
    settings,
    commands: store.commands,
    subscribe: store.bus.subscribe,
    wish: wishOf(args),
    reason: "sign in",
    autoOpen: args.options["browser"] !== false,
  });
  return told(context, end);
};

const told = (context: CliContext, end: SignInEnd): number => {
  if (end.outcome === "signed-in") {
    context.stderr.write(`signed in: account ${end.accountId}\n`);
    return 0;
  }
  if (end.outcome === "pass-through") {
    context.stderr.write("pass-through is kept as the mode: start `claude-oauth-proxy`, the client uses its own login\n");
    return 0;
  }
  if (end.outcome === "quit") return 130;
  throw new AppError({ code: "login-failed", message: "The sign-in was given up; nothing was changed." });
};

const byLine = async (context: CliContext, args: ParsedArgs, { store, settings }: Place): Promise<number> => {
  const wish = wishOf(args);
  const write = (text: string): void => void context.stderr.write(text);
  const asks = wish.kind === "max" && !settings.config.terms.accepted;
  if (asks) write(terms);
  const end = await runPlainLogin({
    commands: store.commands,
    subscribe: store.bus.subscribe,
    clock: context.clock,
    wish,
    write,
    askLine: (question, signal) => askLine({ stdin: context.stdin, ask: write, question, signal }),
    interactive: context.stdin.isTTY === true,
    // Whoever pipes a code in has a browser elsewhere.
    openBrowser: null,
  });
  if (end.outcome !== "signed-in") throw failureOf(end);
  if (asks) await keepAnswer(context, args);
  write(`signed in: account ${end.accountId}\n`);
  return 0;
};

/** The provider's published position, said once before the first subscription is signed in. */
const terms = `Anthropic's published terms say that signing in with a subscription is meant for its own applications:
  https://code.claude.com/docs/en/legal-and-compliance
By giving the code you decide to go on. Other ways: \`claude-oauth-proxy accounts add-key\` (API key) and
\`--mode pass-through\` (the client keeps its own login).

`;

const failureOf = (end: Exclude<PlainLoginEnd, { outcome: "signed-in" }>): AppError =>
  end.outcome === "cancelled"
    ? new AppError({ code: "login-failed", message: "No code came from standard input.", hint: "Run `claude-oauth-proxy login` on a terminal, or pipe the code to it." })
    : new AppError({ code: "login-failed", message: end.message, hint: "Run `claude-oauth-proxy login` again for a new link." });
