// `login`: sign in and exit. On a terminal the sign-in screen, elsewhere one line from standard input.
import type { OpenStore } from "../app/open-store.ts";
import type { StartLogin } from "../messages/commands.ts";
import { AppError } from "../messages/errors.ts";
import { runPlainLogin } from "../tui/screens/login-plain.ts";
import type { PlainLoginEnd } from "../tui/screens/login-plain.ts";
import { ownEndpoints } from "./own-endpoints.ts";
import { askLine } from "./prompt.ts";
import { keepAnswer, signIn } from "./sign-in.ts";
import type { SignInEnd } from "./sign-in.ts";
import { screenOf } from "./terminal.ts";
import { withStore } from "./with-store.ts";
import type { Command, Given, ScreenWish, World } from "./world.ts";
import type { Settings } from "./settings.ts";

/** Exit code 0 signed in, 1 refused or given up, 130 after Ctrl+C. */
export const login: Command = (world, given) =>
  withStore(world, given, async (store, settings) => {
    if (settings.config.mode === "pass-through") throw passThrough();
    const screen = screenOf(world, given);
    return screen === null ? byLine(world, given, { store, settings }) : onScreen(world, given, { store, settings, screen });
  });

const passThrough = (): AppError =>
  new AppError({ code: "bad-usage", message: "In pass-through mode the client keeps its own login; there is nothing to sign in.", hint: "claude-oauth-proxy login --set mode=oauth" });

const wishOf = (given: Given): StartLogin => ({
  kind: given.options["console"] === true ? "console" : "max",
  ...(typeof given.options["account"] === "string" ? { accountId: given.options["account"] } : {}),
  ...ownEndpoints(given),
});

type Place = { readonly store: OpenStore; readonly settings: Settings };

const onScreen = async (world: World, given: Given, { store, settings, screen }: Place & { readonly screen: ScreenWish }): Promise<number> => {
  const end = await signIn(world, given, {
    screen,
    settings,
    commands: store.commands,
    subscribe: store.bus.subscribe,
    wish: wishOf(given),
    reason: "sign in",
    autoOpen: given.options["browser"] !== false,
  });
  return told(world, end);
};

const told = (world: World, end: SignInEnd): number => {
  if (end.outcome === "signed-in") {
    world.stderr.write(`signed in: account ${end.accountId}\n`);
    return 0;
  }
  if (end.outcome === "pass-through") {
    world.stderr.write("pass-through is kept as the mode: start `claude-oauth-proxy`, the client uses its own login\n");
    return 0;
  }
  if (end.outcome === "quit") return 130;
  throw new AppError({ code: "login-failed", message: "The sign-in was given up; nothing was changed." });
};

const byLine = async (world: World, given: Given, { store, settings }: Place): Promise<number> => {
  const wish = wishOf(given);
  const write = (text: string): void => void world.stderr.write(text);
  const asks = wish.kind === "max" && !settings.config.terms.accepted;
  if (asks) write(terms);
  const end = await runPlainLogin({
    commands: store.commands,
    subscribe: store.bus.subscribe,
    clock: world.clock,
    wish,
    write,
    askLine: (question, signal) => askLine({ stdin: world.stdin, ask: write, question, signal }),
    interactive: world.stdin.isTTY === true,
    // Whoever pipes a code in has a browser elsewhere.
    openBrowser: null,
  });
  if (end.outcome !== "signed-in") throw failureOf(end);
  if (asks) await keepAnswer(world, given);
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
