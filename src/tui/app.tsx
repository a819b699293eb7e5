// The dashboard as a component: takes a frame, draws its lines, hands keys to the controller. It is the
// only component that subscribes to anything.
import { ConfirmInput, PasswordInput, TextInput } from "@inkjs/ui";
import { Box, Text, useApp, useInput, usePaste } from "ink";
import { useEffect, useSyncExternalStore } from "react";
import type { ReactElement } from "react";
import type { Controller } from "./controller.ts";
import { accountName } from "./panes/accounts.ts";
import { Rows } from "./rows.tsx";
import { dashboardLines } from "./screens/dashboard.ts";
import { cut, safe } from "./text.ts";
import { alertLine } from "./theme.ts";
import type { Line } from "./theme.ts";
import type { Prompt } from "./ui-state.ts";
import type { View } from "./view.ts";

/** Hands the terminal to `work` while it runs, and draws anew afterwards. */
export type Lend = (work: () => Promise<void>) => Promise<void>;

export type Snapshots = {
  subscribe(listener: () => void): () => void;
  /** What is to be drawn; the same object until the next frame. */
  snapshot(): { readonly view: View; readonly generation: number };
};

export type DashboardAppProps = { readonly snapshots: Snapshots; readonly controller: Pick<Controller, "press" | "paste" | "answer">; readonly onLend: (lend: Lend | null) => void };

/** Fills the terminal: as many lines as it has rows. */
export const DashboardApp = ({ snapshots, controller, onLend }: DashboardAppProps): ReactElement => {
  const { view, generation } = useSyncExternalStore(snapshots.subscribe, snapshots.snapshot);
  const { suspendTerminal } = useApp();
  const prompt = inputPrompt(view);
  useInput(controller.press);
  usePaste(controller.paste, { isActive: prompt === null });
  useEffect(() => {
    onLend((work) => suspendTerminal(work));
    return () => onLend(null);
  }, [onLend, suspendTerminal]);
  const lines = safeLines(view);
  const { columns, rows } = view.layout;
  return (
    <Box key={generation} flexDirection="column" width={columns} height={rows} overflow="hidden">
      <Rows lines={prompt === null ? lines : lines.slice(0, -1)} />
      {prompt === null ? null : <PromptLine view={view} prompt={prompt} answer={controller.answer} />}
    </Box>
  );
};

// A mistake in drawing must not end the proxy behind it.
const safeLines = (view: View): readonly Line[] => {
  try {
    return dashboardLines(view);
  } catch (error) {
    const why = error instanceof Error ? error.message : "unknown";
    return [alertLine("error", cut(safe(`The screen could not be drawn (${why}). The proxy goes on. q quits.`, view.glyphs), view.layout.columns - 3, view.glyphs))];
  }
};

type InputPrompt = Exclude<Prompt, { kind: "filter" }>;

// The filter is a line of the footer, edited by the controller. Ink UI's `TextInput` cannot serve it: it types the
// letter of Ctrl+U instead of clearing, cannot be filled from outside (a paste, or text that came in one piece with
// the `/`), keeps the control characters of a paste, and marks its cursor by inversion alone, which is not there
// without colours.
const inputPrompt = ({ ui }: View): InputPrompt | null => (ui.prompt === null || ui.prompt.kind === "filter" ? null : ui.prompt);

type PromptProps = { readonly view: View; readonly prompt: InputPrompt; readonly answer: (text: string | null) => void };

// The question that takes the last line: new name, priority, API key, really remove. Esc is handled by the controller.
const PromptLine = ({ view, prompt, answer }: PromptProps): ReactElement => {
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

const questionOf = (prompt: InputPrompt, view: View): string => {
  if (prompt.kind === "add-key") return " API key (Esc: none):";
  const account = view.live.accounts.find(({ id }) => id === prompt.accountId);
  const name = account === undefined ? "this account" : accountName(account, view);
  if (prompt.kind === "rename") return ` New name of ${name}:`;
  return prompt.kind === "priority" ? ` Priority of ${name}, lower comes first:` : ` Remove ${name} and revoke its tokens?`;
};

const Field = ({ prompt, view, answer }: PromptProps): ReactElement => {
  if (prompt.kind === "add-key") return <PasswordInput onSubmit={answer} />;
  if (prompt.kind === "remove") return <ConfirmInput defaultChoice="cancel" onConfirm={() => answer("yes")} onCancel={() => answer(null)} />;
  const account = view.live.accounts.find(({ id }) => id === prompt.accountId);
  const present = prompt.kind === "rename" ? (account?.label ?? "") : String(account?.priority ?? 0);
  return <TextInput defaultValue={present} onSubmit={answer} />;
};
