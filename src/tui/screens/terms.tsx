// Before the first sign-in with a subscription: what the provider's terms say, where, and the other two
// ways. The answer is the person's own; the caller keeps it, so that it is asked once.
import { wrap } from "../text.ts";
import { askChoice } from "./choice.tsx";
import type { LoginTerminal } from "./login.tsx";

/** `go-on`: sign in with the subscription. */
export type TermsChoice = "go-on" | "api-key" | "pass-through" | "quit";

/** Where the provider says so. */
export const termsLink = "https://code.claude.com/docs/en/legal-and-compliance";

const paragraphs: readonly string[] = [
  "Before you sign in: Anthropic's terms say that signing in with a Claude subscription is meant for Anthropic's own applications, " +
    "and that other developers may not offer it or keep its tokens for others.",
  "This program is your own tool on your own machine. It keeps your tokens here and sends them to Anthropic only. " +
    "It does not pretend to be another client and works around no limit and no refusal. Whether you use it this way is for you to decide. Read:",
];

const choices: readonly (readonly [string, Exclude<TermsChoice, "quit">, string])[] = [
  ["y", "go-on", "go on and sign in with my subscription"],
  ["k", "api-key", "use an API key instead (billed per use, made for programs)"],
  ["p", "pass-through", "pass-through: Claude Code keeps its own login, nothing is stored here"],
];

/** The notice with its choices, wrapped for `columns`; the link stands alone in its line. */
export const termsNotice = (columns: number): string => {
  const width = Math.max(20, Math.min(columns - 1, 78));
  const rows = [
    ...paragraphs.flatMap((paragraph) => [...wrap(paragraph, width), ""]),
    termsLink,
    "",
    ...choices.flatMap(([key, , text]) => wrap(text, width - 5).map((row, index) => `  ${index === 0 ? key : " "}  ${row}`)),
    "",
  ];
  return `${rows.join("\n")}\n`;
};

const answers: Readonly<Record<string, TermsChoice>> = Object.fromEntries(choices.map(([key, choice]) => [key, choice]));

export type TermsDeps = LoginTerminal & { readonly ascii: boolean; readonly signal?: AbortSignal };

/** Asks on a terminal. Enter alone chooses nothing: a key typed ahead must not agree to anything. */
export const askTerms = (deps: TermsDeps): Promise<TermsChoice> =>
  askChoice({ ...deps, text: termsNotice(deps.stdout.columns ?? 80), answers, hint: "press y, k or p (q quits)" });
