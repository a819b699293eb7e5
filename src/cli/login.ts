// `login`: sign in and exit. On a terminal the sign-in screen, elsewhere one line from standard input.
import type { LoginAttempt, SubmitOutcome } from "../messages/commands.ts";
import { AppError } from "../messages/errors.ts";
import type { Secret } from "../lib/secret.ts";
import { askLine } from "./prompt.ts";
import { preferencesOf } from "./settings.ts";
import { tellNotices, withStore } from "./with-store.ts";
import type { Command, Given, LoginWish, OpenStore, ScreenWish, World } from "./world.ts";

/** Exit code 0 signed in, 1 refused or given up. */
export const login: Command = (world, given) =>
  withStore(world, given, async (store, { config }) => {
    const wish = wishOf(given);
    const screen: ScreenWish = { stdin: world.stdin, stdout: world.stdout, environment: world.environment, ascii: given.everywhere.ascii };
    if (await world.parts.canDraw(screen)) return world.parts.runLogin(store, { ...screen, ...wish });
    if (wish.kind === "console" || config.terms.accepted) return loginByLine(world, store, wish);
    world.stderr.write(terms);
    const code = await loginByLine(world, store, wish);
    keepAnswer(world, given);
    return code;
  });

// The code was given after the notice was read: it is not shown again.
const keepAnswer = (world: World, given: Given): void => {
  try {
    preferencesOf(world, given).set("terms.accepted", true);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    world.stderr.write(`claude-oauth-proxy: ${error.message}\n`);
  }
};

const wishOf = ({ options }: Given): LoginWish => ({
  kind: options["console"] === true ? "console" : "max",
  accountId: typeof options["account"] === "string" ? options["account"] : null,
  browser: options["browser"] !== false,
});

const loginByLine = async (world: World, store: OpenStore, { kind, accountId }: LoginWish): Promise<number> => {
  const { commands } = store;
  const stopNotices = tellNotices(world, store);
  const tell = (text: string): void => void world.stderr.write(text);
  const attempt = await commands.startLogin({ kind, ...(accountId === null ? {} : { accountId }) });
  tell(`Open this link in a browser, sign in, and give the code that the page shows to this command on one line:\n\n${attempt.authorizeUrl}\n\n`);
  try {
    const accountOrCode = await codeOrCallback(world, store, attempt);
    const signedIn = "accountId" in accountOrCode ? accountOrCode.accountId : await submit(world, store, { attempt, code: accountOrCode.code });
    tell(`signed in: account ${signedIn}\n`);
    return 0;
  } finally {
    if (commands.pendingLogin()?.attemptId === attempt.attemptId) commands.cancelLogin(attempt.attemptId);
    stopNotices();
  }
};

/** The provider's published position, said once before the first subscription is signed in. */
const terms = `Anthropic's published terms say that signing in with a subscription is meant for its own applications:
  https://code.claude.com/docs/en/legal-and-compliance
By giving the code you decide to go on. Other ways: \`claude-oauth-proxy accounts add-key\` (API key) and
\`--mode pass-through\` (the client keeps its own login).

`;

// The browser may come back to the callback of this machine before anybody has typed a code.
const codeOrCallback = async (world: World, { bus }: OpenStore, attempt: LoginAttempt): Promise<{ accountId: string } | { code: Secret }> => {
  const typed = new AbortController();
  const stops: (() => void)[] = [];
  const cameBack = new Promise<{ accountId: string }>((resolve) => {
    const stop = bus.subscribe((event) => {
      if (event.type === "login.succeeded" && event.attemptId === attempt.attemptId) resolve({ accountId: event.accountId });
    });
    stops.push(stop);
  });
  const line = askLine({ stdin: world.stdin, ask: (text) => void world.stderr.write(text), question: "Paste code > ", signal: typed.signal });
  try {
    const first = await Promise.race([cameBack, line]);
    if (first === null) throw new AppError({ code: "login-failed", message: "No code came from standard input.", hint: "Run `claude-oauth-proxy login` on a terminal, or pipe the code to it." });
    return "accountId" in first ? first : { code: first };
  } finally {
    for (const stop of stops) stop();
    typed.abort();
  }
};

const pausesMs = [1000, 3000];

const submit = async (world: World, { commands }: OpenStore, { attempt, code }: { attempt: LoginAttempt; code: Secret }): Promise<string> => {
  let outcome = await commands.submitCode(code, attempt.attemptId);
  for (const pause of pausesMs) {
    if (outcome.outcome !== "retry") break;
    await new Promise<void>((resolve) => void world.clock.setTimeout(resolve, pause));
    outcome = await commands.submitCode(code, attempt.attemptId);
  }
  if (outcome.outcome === "signed-in") return outcome.accountId;
  throw failureOf(outcome);
};

const failureOf = (outcome: Exclude<SubmitOutcome, { outcome: "signed-in" }>): AppError => {
  const again = "Run `claude-oauth-proxy login` again for a new link.";
  if (outcome.outcome === "nothing") return new AppError({ code: "bad-paste", message: "The line held no code.", hint: again });
  if (outcome.outcome === "bad-paste") return new AppError({ code: "bad-paste", message: outcome.message, hint: again });
  return new AppError({ code: "login-failed", message: outcome.message, hint: again });
};
