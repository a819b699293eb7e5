// `login`: sign in and exit. On a terminal the sign-in screen, elsewhere one line from standard input.
import type { OpenStore } from "../../app/open-store.ts";
import type { LoginOptions } from "../../messages/commands.ts";
import { AppError } from "../../messages/errors.ts";
import { runPlainLogin } from "../../tui/login/plain.ts";
import type { PlainLoginEnd } from "../../tui/login/plain.ts";
import type { CliContext, Command, ParsedArgs, Screen } from "../context.ts";
import { askLine } from "../prompt.ts";
import type { Settings } from "../settings.ts";
import { keepAnswer, signIn } from "../sign-in.ts";
import { screenOf } from "../terminal.ts";
import { withStore } from "../with-store.ts";
import { accountOptions } from "./accounts.ts";

/** Exit code 0 signed in, 1 refused or given up, 130 after Ctrl+C. */
export const login: Command = (context, args) =>
  withStore(context, args, async (store, settings) => {
    if (settings.config.mode === "pass-through") {
      throw new AppError({ code: "bad-usage", message: "In pass-through mode the client keeps its own login; there is nothing to sign in.", hint: "claude-oauth-proxy login --set mode=oauth" });
    }
    const screen = screenOf(context, args);
    return screen === null ? loginByLine(context, args, { store, settings }) : loginOnScreen(context, args, { store, settings, screen });
  });

const requestOf = (args: ParsedArgs): LoginOptions => ({
  kind: args.options["console"] === true ? "console" : "max",
  ...accountOptions(args),
  ...(args.options["yes"] === true ? { acceptIdentity: true } : {}),
});

type Opened = { readonly store: OpenStore; readonly settings: Settings };

const loginOnScreen = async (context: CliContext, args: ParsedArgs, { store, settings, screen }: Opened & { readonly screen: Screen }): Promise<number> => {
  const { commands, bus } = store;
  const autoOpen = args.options["browser"] !== false;
  const end = await signIn(context, args, { screen, settings, commands, subscribe: bus.subscribe, login: requestOf(args), reason: "sign in", autoOpen });
  switch (end.outcome) {
    case "signed-in":
      context.stderr.write(`signed in: account ${end.accountId}\n`);
      return 0;
    case "pass-through":
      context.stderr.write("pass-through is kept as the mode: start `claude-oauth-proxy`, the client uses its own login\n");
      return 0;
    case "quit":
      return 130;
    case "cancelled":
      throw new AppError({ code: "login-failed", message: "The sign-in was given up; nothing was changed." });
  }
};

const loginByLine = async (context: CliContext, args: ParsedArgs, { store, settings }: Opened): Promise<number> => {
  const request = requestOf(args);
  const write = (text: string): void => void context.stderr.write(text);
  const asksTerms = request.kind === "max" && !settings.config.terms.accepted;
  if (asksTerms) write(terms);
  const end = await runPlainLogin({
    commands: store.commands,
    subscribe: store.bus.subscribe,
    clock: context.clock,
    login: request,
    write,
    askLine: (question, signal) => askLine({ stdin: context.stdin, write, question, signal }),
    interactive: context.stdin.isTTY === true,
    // A code that comes through a pipe was made in a browser elsewhere.
    openBrowser: null,
  });
  if (end.outcome !== "signed-in") throw failureOf(end);
  if (asksTerms) await keepAnswer(context, args);
  write(`signed in: account ${end.accountId}\n`);
  return 0;
};

/** The provider's published position, printed once before the first subscription is signed in. */
const terms = `Anthropic's published terms say that signing in with a subscription is meant for its own applications:
  https://code.claude.com/docs/en/legal-and-compliance
By giving the code you decide to go on. Other ways: \`claude-oauth-proxy accounts add-key\` (API key) and
\`--mode pass-through\` (the client keeps its own login).

`;

const failureOf = (end: Exclude<PlainLoginEnd, { outcome: "signed-in" }>): AppError =>
  end.outcome === "cancelled"
    ? new AppError({ code: "login-failed", message: "No code came from standard input.", hint: "Run `claude-oauth-proxy login` on a terminal, or pipe the code to it." })
    : end.errorCode === "conflict"
      ? new AppError({ code: "conflict", message: end.message })
      : new AppError({ code: "login-failed", message: end.message, hint: "Run `claude-oauth-proxy login` again for a new link." });
