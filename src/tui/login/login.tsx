// The sign-in on the primary screen: raw text once, a few live rows below, gone afterwards. The terminal
// is given back (raw mode, bracketed paste, cursor) before the promise resolves, whatever the end.
import { ConfirmInput } from "@inkjs/ui";
import { Box, useInput, usePaste, useWindowSize } from "ink";
import { useSyncExternalStore } from "react";
import type { ReactElement } from "react";
import type { Clock } from "../../lib/clock.ts";
import type { Bus } from "../../messages/bus.ts";
import type { Commands, LoginAttempt, LoginOptions } from "../../messages/commands.ts";
import { drawLive, Rows } from "../rows.tsx";
import type { Terminal } from "../rows.tsx";
import { createLoginForm } from "./form.ts";
import type { FormEnd, LoginForm } from "./form.ts";
import type { LoginEdges } from "./keys.ts";
import { loginIntro } from "./text.ts";
import { regionLines } from "./view.ts";

export type LoginDeps = Terminal & {
  readonly commands: Pick<Commands, "startLogin" | "submitCode" | "pendingLogin" | "answerIdentity" | "cancelLogin">;
  readonly subscribe: Bus["subscribe"];
  readonly clock: Clock;
  readonly edges: LoginEdges;
  readonly login: LoginOptions;
  readonly version: string;
  /** One clause behind the program's name on why a sign-in is needed, such as `no account yet`. */
  readonly reason: string;
  /** Open the page at once, without a key. */
  readonly autoOpen: boolean;
  readonly ascii: boolean;
  /** Ends the screen from outside, as Ctrl+C does. */
  readonly signal?: AbortSignal;
};

export type LoginEnd = Exclude<FormEnd, { outcome: "again" }>;

/** Throws what `startLogin` throws (`AppError`); an attempt that led nowhere is cancelled. */
export const runLogin = async (deps: LoginDeps): Promise<LoginEnd> => {
  let opens = deps.autoOpen;
  try {
    for (;;) {
      if (deps.signal?.aborted === true) return { outcome: "quit" };
      const end = await oneAttempt(deps, await deps.commands.startLogin(deps.login), opens);
      if (end.outcome !== "again") return end;
      // Who asked for a second link has seen the page already.
      opens = false;
    }
  } finally {
    await deps.edges.linkFile.remove();
  }
};

const oneAttempt = async (deps: LoginDeps, attempt: LoginAttempt, opens: boolean): Promise<FormEnd> => {
  const { stdin, stdout, signal, ascii, version, reason } = deps;
  const form = createLoginForm({ ...deps, attempt });
  // Ink does the same, but only after its first frame: a code pasted before that would be echoed.
  stdin.setRawMode?.(true);
  try {
    stdout.write(loginIntro({ attempt, version, reason, columns: stdout.columns ?? 80 }));
    if (opens) form.openPage();
    return await drawLive(<LoginRegion form={form} ascii={ascii} />, { stdin, stdout, signal, quit: form.quit }, form.ended);
  } finally {
    form.close();
    stdin.setRawMode?.(false);
  }
};

/**
 * The live rows. The field is our own: Ink UI's `PasswordInput` keeps what is typed as plain text in React, shows one
 * star for each of a code's 130 characters instead of its first four and whether its state fits, cannot be emptied
 * or filled from outside (Esc, a refused key, the clipboard), types every letter at once (a paste without brackets
 * comes in pieces, and o, c, u and v are keys in an empty field), and knows no paste.
 */
export const LoginRegion = ({ form, ascii }: { readonly form: LoginForm; readonly ascii: boolean }): ReactElement => {
  const view = useSyncExternalStore(form.subscribe, form.snapshot);
  const size = useWindowSize();
  useInput(form.input);
  usePaste(form.paste);
  return (
    <Box flexDirection="column">
      <Rows lines={regionLines(view, { ...size, rows: size.rows - (view.question === null ? 0 : 1), ascii })} />
      {view.question === null ? null : (
        <Box height={1} paddingLeft={1}>
          {view.question.ready ? <YesOrNo form={form} /> : null}
        </Box>
      )}
    </Box>
  );
};

// Neither Enter nor a key that was typed ahead answers.
const YesOrNo = ({ form }: { readonly form: LoginForm }): ReactElement => (
  <ConfirmInput defaultChoice="cancel" submitOnEnter={false} onConfirm={() => form.answer(true)} onCancel={() => form.answer(false)} />
);
