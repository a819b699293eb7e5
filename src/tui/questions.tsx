// The questions that may come before the dashboard, on the primary screen: the provider's terms, and a port that is
// taken. The text is written raw and stays in the scrollback; the choices are live and go with the answer.
import { Select } from "@inkjs/ui";
import { Box, Text, useInput, useWindowSize } from "ink";
import { useState } from "react";
import type { ReactElement } from "react";
import { span } from "../lib/units.ts";
import { visibleText } from "../lib/visible-text.ts";
import { drawLive, Themed } from "./rows.tsx";
import type { Terminal } from "./rows.tsx";
import { cut, wrap } from "./text.ts";
import { glyphsFor } from "./theme.ts";

export type Choice<Answer extends string> = { readonly key: string; readonly answer: Answer; readonly text: string };

export type Question<Answer extends string> = {
  /** Written once, above the choices; ends with a line break. */
  readonly text: string;
  readonly choices: readonly Choice<Answer>[];
};

export type QuestionDeps = Terminal & { readonly ascii: boolean; readonly signal?: AbortSignal };

/** `go-on`: sign in with the subscription. */
export type TermsChoice = "go-on" | "api-key" | "pass-through" | "quit";

/** Asks on a terminal before the first sign-in with a subscription; the caller keeps the answer, so that it is asked once. */
export const askTerms = (deps: QuestionDeps): Promise<TermsChoice> => ask(deps, termsQuestion(deps.stdout.columns ?? 80));

/** Where the provider says so. */
export const termsLink = "https://code.claude.com/docs/en/legal-and-compliance";

const paragraphs: readonly string[] = [
  "Before you sign in: Anthropic's terms say that signing in with a Claude subscription is meant for Anthropic's own applications, " +
    "and that other developers may not offer it or keep its tokens for others.",
  "This program is your own tool on your own machine. It keeps your tokens here and sends them to Anthropic only. " +
    "It does not pretend to be another client and works around no limit and no refusal. Whether you use it this way is for you to decide. Read:",
];

/** What the provider's terms say, where, and the ways to go on; wrapped for `columns`, the link alone in its line. */
export const termsQuestion = (columns: number): Question<TermsChoice> => ({
  text: `${[...paragraphs.flatMap((paragraph) => [...wrap(paragraph, Math.max(20, Math.min(columns - 1, 78))), ""]), termsLink, ""].join("\n")}\n`,
  choices: [
    { key: "y", answer: "go-on", text: "go on and sign in with my subscription" },
    { key: "k", answer: "api-key", text: "use an API key instead (billed per use, made for programs)" },
    { key: "p", answer: "pass-through", text: "pass-through: Claude Code keeps its own login, nothing is stored here" },
    { key: "q", answer: "quit", text: "quit" },
  ],
});

/** `use-that`: print the address of the one that runs and quit. */
export type PortTakenChoice = "use-that" | "next-port" | "quit";

/** The proxy of this data folder that has the port: it has proved that it knows the local key. */
export type OtherProxy = { readonly version: string; readonly uptimeSeconds: number };

export type PortTakenFacts = {
  readonly version: string;
  readonly host: string;
  readonly port: number;
  /** Null: something else, which a client must not be sent to. */
  readonly other: OtherProxy | null;
  /** Null: none was found. */
  readonly nextPort: number | null;
};

/** Asks on a terminal; without one, a sentence and exit code 4 are the answer. */
export const askPortTaken = ({ facts, ...deps }: PortTakenDeps): Promise<PortTakenChoice> => ask(deps, portTakenQuestion(facts));

export type PortTakenDeps = QuestionDeps & { readonly facts: PortTakenFacts };

/** Who has the port, and the choices that make sense then. */
export const portTakenQuestion = ({ version, host, port, other, nextPort }: PortTakenFacts): Question<PortTakenChoice> => {
  const up = other === null ? "" : `up ${span(other.uptimeSeconds * 1000)}`;
  const owner =
    other === null ? "Something else answers there; it did not prove that it knows our local key." : `It is another claude-oauth-proxy of yours (${visibleText(other.version, 40)}, ${up}).`;
  const next = nextPort === null ? "--port N" : `--port ${nextPort}`;
  return {
    text: `${[`claude-oauth-proxy ${version}`, "", `x Port ${port} on ${visibleText(host)} is already in use.`, `  ${owner}`, ""].join("\n")}\n`,
    choices: [
      ...(other === null ? [] : [{ key: "a", answer: "use-that", text: "use that one (print its address and quit)" } as const]),
      ...(nextPort === null ? [] : [{ key: "n", answer: "next-port", text: `use the next free port, ${nextPort}` } as const]),
      { key: "q", answer: "quit", text: `quit            next time: npx claude-oauth-proxy ${next}` },
    ],
  };
};

// Resolves to the answer, `quit` for q, Esc, Ctrl+C and a terminal that has gone; gives the terminal back first.
const ask = async <Answer extends string>({ stdin, stdout, ascii, signal }: QuestionDeps, { text, choices }: Question<Answer>): Promise<Answer | "quit"> => {
  if (signal?.aborted === true) return "quit";
  const { promise, resolve } = Promise.withResolvers<Answer | "quit">();
  stdout.write(text);
  return drawLive(<Choices choices={choices} ascii={ascii} onAnswer={resolve} />, { stdin, stdout, signal, quit: () => resolve("quit") }, promise);
};

export type ChoicesProps<Answer extends string> = { readonly choices: readonly Choice<Answer>[]; readonly ascii: boolean; readonly onAnswer: (answer: Answer | "quit") => void };

/**
 * The choices as a list, each with its letter. Enter alone chooses nothing, because a key that was typed ahead must
 * not agree to anything: the list takes Enter only after an arrow key. With `ascii` the letters alone choose, because
 * Ink UI's mark of the focused row is not ASCII.
 */
export const Choices = <Answer extends string>({ choices, ascii, onAnswer }: ChoicesProps<Answer>): ReactElement => {
  const { columns, rows } = useWindowSize();
  const [isDisabled, setDisabled] = useState(true);
  useInput((input, key) => {
    const letter = key.ctrl || key.meta ? "" : input.toLowerCase();
    const chosen = choices.find((choice) => choice.key === letter);
    if (key.escape || (key.ctrl && input === "c") || letter === "q") onAnswer("quit");
    else if (chosen !== undefined) onAnswer(chosen.answer);
    else if (!ascii && (key.upArrow || key.downArrow)) setDisabled(false);
  });
  // A row that fills the width would be wrapped when the window gets narrower.
  const width = Math.max(8, Math.min(columns - 2, 78));
  const wrapped = choices.map(({ key, text }) => wrap(text, Math.max(4, width - 5)).map((row, index) => `${index === 0 ? key : " "}  ${row}`));
  const isWhole = wrapped.flat().length + 3 < rows;
  const labelAt = (index: number): string => (isWhole ? (wrapped[index] ?? []).join("\n") : cut(wrapped[index]?.[0] ?? "", width - 2, glyphsFor(ascii)));
  const options = choices.map(({ answer }, index) => ({ value: answer, label: labelAt(index) }));
  const count = isWhole ? choices.length : Math.max(1, Math.min(choices.length, rows - 3));
  const letters = choices.map(({ key }) => key);
  const hint = `press ${letters.length > 1 ? `${letters.slice(0, -1).join(", ")} or ` : ""}${letters.at(-1)}${ascii || letters.length === 1 ? "" : ", or choose with the arrow keys and Enter"}`;
  return (
    <Themed>
      <Box flexDirection="column" width={width}>
        <Select key={`${count} ${width}`} isDisabled={isDisabled} visibleOptionCount={count} options={options} onChange={(value) => onAnswer(value as Answer)} />
        <Text wrap="truncate">{`${isWhole ? "\n" : ""}${cut(hint, width, glyphsFor(ascii))}`}</Text>
      </Box>
    </Themed>
  );
};
