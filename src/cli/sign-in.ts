// Signing in on a terminal: the notice about the provider's terms once, then what was chosen. Shared by `login`, by the
// first start and by the dashboard's key.
import { isObject } from "../lib/json.ts";
import type { Bus } from "../messages/bus.ts";
import type { Commands, LoginOptions } from "../messages/commands.ts";
import { AppError } from "../messages/errors.ts";
import type { TermsChoice } from "../tui/questions.tsx";
import type { CliContext, ParsedArgs, Screen } from "./context.ts";
import { askLine } from "./prompt.ts";
import { preferencesOf } from "./settings.ts";
import type { Settings } from "./settings.ts";

export type SignInRequest = {
  readonly screen: Screen;
  readonly settings: Settings;
  readonly commands: Commands;
  readonly subscribe: Bus["subscribe"];
  readonly login: LoginOptions;
  readonly reason: string;
  readonly autoOpen: boolean;
  readonly signal?: AbortSignal;
};

/** `pass-through`: chosen in the notice and kept as a preference; there is no sign-in then. */
export type SignInEnd = { readonly outcome: "signed-in"; readonly accountId: string } | { readonly outcome: "cancelled" | "quit" | "pass-through" };

/** Throws what the commands throw (`AppError`). */
export const signIn = async (context: CliContext, args: ParsedArgs, request: SignInRequest): Promise<SignInEnd> => {
  const choice = await termsChoice(context, args, request);
  if (choice === "quit") return { outcome: "quit" };
  if (choice === "api-key") return addKey(context, request);
  if (choice === "pass-through") {
    await preferencesOf(context, args).set("mode", "pass-through");
    return { outcome: "pass-through" };
  }
  const screens = await context.parts.loadScreens(context);
  const { screen, settings, ...rest } = request;
  return screens.runLogin({ ...screen, ...rest, dir: settings.dir });
};

// Asked once, and only before a subscription is signed in: a console sign-in makes an API key.
const termsChoice = async (context: CliContext, args: ParsedArgs, { screen, settings, login, signal }: SignInRequest): Promise<TermsChoice> => {
  if (login.kind === "console" || termsAccepted(context, args, settings)) return "go-on";
  const screens = await context.parts.loadScreens(context);
  const choice = await screens.askTerms({ ...screen, ...(signal === undefined ? {} : { signal }) });
  if (choice === "go-on") await keepAnswer(context, args);
  return choice;
};

const termsAccepted = (context: CliContext, args: ParsedArgs, { config }: Settings): boolean => {
  if (config.terms.accepted) return true;
  // The settings were read when the program started; the answer may be a minute old.
  const terms = preferencesOf(context, args).read()?.["terms"];
  return isObject(terms) && terms["accepted"] === true;
};

/** Keeps "go on" so that it is not asked again; a folder that cannot be written is a remark, not a failure. */
export const keepAnswer = async (context: CliContext, args: ParsedArgs): Promise<void> => {
  try {
    await preferencesOf(context, args).set("terms.accepted", true);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    context.stderr.write(`claude-oauth-proxy: ${error.message}\n`);
  }
};

const addKey = async ({ stdin, stderr }: CliContext, { commands, signal }: SignInRequest): Promise<SignInEnd> => {
  const key = await askLine({ stdin, write: (text) => void stderr.write(text), question: "API key (not shown): ", ...(signal === undefined ? {} : { signal }) });
  if (key === null) return { outcome: "quit" };
  const { accountId } = await commands.addApiKey({ key });
  return { outcome: "signed-in", accountId };
};
