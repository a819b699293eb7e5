// The questions that take the last line of the dashboard: new name, priority, API key, really remove.
import { ConfirmInput, PasswordInput, TextInput } from "@inkjs/ui";
import { Box, Text } from "ink";
import type { ReactElement } from "react";
import { cut } from "../text.ts";
import { accountName } from "../panes/accounts.ts";
import type { Prompt } from "../ui-state.ts";
import type { View } from "../view.ts";

type Asked = Exclude<Prompt, { kind: "filter" }>;

/** The prompt that Ink's inputs answer; null when none is open (the filter is drawn with the footer). */
export const askedOf = ({ ui }: View): Asked | null => (ui.prompt === null || ui.prompt.kind === "filter" ? null : ui.prompt);

/** One line: the question, then the input. Esc is handled by the controller. */
export const PromptLine = ({ view, prompt, answer }: { view: View; prompt: Asked; answer: (text: string | null) => void }): ReactElement => {
  const width = Math.max(1, view.layout.columns - 1);
  const question = cut(questionOf(prompt, view), Math.max(4, width - 16), view.glyphs);
  return (
    <Box height={1} width={width} overflow="hidden">
      <Box flexShrink={0}>
        <Text color="yellow">{`${question} `}</Text>
      </Box>
      <Field prompt={prompt} view={view} answer={answer} />
    </Box>
  );
};

const questionOf = (prompt: Asked, view: View): string => {
  if (prompt.kind === "add-key") return " API key (Esc: none):";
  const account = view.live.accounts.find(({ id }) => id === prompt.accountId);
  const name = account === undefined ? "this account" : accountName(account, view);
  if (prompt.kind === "rename") return ` New name of ${name}:`;
  return prompt.kind === "priority" ? ` Priority of ${name}, lower comes first:` : ` Remove ${name} and revoke its tokens?`;
};

const Field = ({ prompt, view, answer }: { prompt: Asked; view: View; answer: (text: string | null) => void }): ReactElement => {
  if (prompt.kind === "add-key") return <PasswordInput onSubmit={answer} />;
  if (prompt.kind === "remove") return <ConfirmInput defaultChoice="cancel" onConfirm={() => answer("yes")} onCancel={() => answer(null)} />;
  const account = view.live.accounts.find(({ id }) => id === prompt.accountId);
  const present = prompt.kind === "rename" ? (account?.label ?? "") : String(account?.priority ?? 0);
  return <TextInput defaultValue={present} onSubmit={answer} />;
};
