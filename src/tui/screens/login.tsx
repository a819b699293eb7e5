// The sign-in on the primary screen: raw text once, a few live rows below, gone afterwards. The terminal
// is given back (raw mode, bracketed paste, cursor) before the promise resolves, whatever the end.
import { render } from "ink";
import type { Instance } from "ink";
import type { Clock } from "../../lib/clock.ts";
import type { Bus } from "../../messages/bus.ts";
import type { Commands, LoginAttempt, LoginOptions } from "../../messages/commands.ts";
import { createLoginForm } from "./login-form.ts";
import type { LoginForm } from "./login-form.ts";
import { createLoginHelp } from "./login-help.ts";
import type { LoginEdges } from "./login-help.ts";
import { loginIntro } from "./login-intro.ts";
import { LoginRegion } from "./login-region.tsx";
import type { FormEnd } from "./login-room.ts";

/** Both ends are terminals; that was decided before this file was imported. */
export type LoginTerminal = {
  readonly stdin: NodeJS.ReadableStream & { setRawMode?(raw: boolean): unknown };
  readonly stdout: NodeJS.WritableStream & { readonly columns?: number };
};

export type LoginDeps = LoginTerminal & {
  readonly commands: Pick<Commands, "startLogin" | "submitCode" | "cancelLogin">;
  readonly subscribe: Bus["subscribe"];
  readonly clock: Clock;
  readonly edges: LoginEdges;
  readonly wish: LoginOptions;
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
      const attempt = await deps.commands.startLogin(deps.wish);
      const end = await oneAttempt(deps, attempt, opens);
      if (end.outcome !== "again") return end;
      // The second link is for somebody who has seen the first page already.
      opens = false;
    }
  } finally {
    await deps.edges.linkFile.remove();
  }
};

const oneAttempt = async (deps: LoginDeps, attempt: LoginAttempt, opens: boolean): Promise<FormEnd> => {
  const { stdin, stdout, commands, subscribe, clock, version, reason } = deps;
  const form = createLoginForm({ attempt, commands, subscribe, clock, help: createLoginHelp(attempt, deps.edges) });
  const stopWatching = watchTerminal(deps, form);
  // Ink does the same, but only after its first frame: a code pasted before that would be echoed.
  stdin.setRawMode?.(true);
  stdout.write(loginIntro({ attempt, version, reason, columns: stdout.columns ?? 80 }));
  const screen = render(<LoginRegion form={form} ascii={deps.ascii} />, {
    stdin,
    stdout,
    exitOnCtrlC: false,
    patchConsole: false,
    interactive: true,
    isScreenReaderEnabled: false,
  });
  if (opens) form.openPage();
  try {
    const end = await Promise.race([form.ended, unmounted(screen, form)]);
    await erase(screen);
    return end;
  } finally {
    stopWatching();
    form.close();
    screen.unmount();
    await screen.waitUntilExit();
    stdin.setRawMode?.(false);
  }
};

/** Takes the live rows away. A frame still held back by Ink's throttle would be drawn again by `unmount`. */
export const erase = async (screen: Pick<Instance, "clear" | "waitUntilRenderFlush">): Promise<void> => {
  await screen.waitUntilRenderFlush();
  screen.clear();
};

// Ink unmounts by itself when the process is about to end, and rejects when drawing failed.
const unmounted = async (screen: Instance, form: LoginForm): Promise<FormEnd> => {
  await screen.waitUntilExit();
  form.quit();
  return form.ended;
};

// A terminal that has gone cannot be asked any more.
const watchTerminal = ({ stdin, signal }: LoginDeps, form: LoginForm): (() => void) => {
  stdin.once("end", form.quit).once("close", form.quit);
  signal?.addEventListener("abort", form.quit, { once: true });
  return () => {
    stdin.off("end", form.quit).off("close", form.quit);
    signal?.removeEventListener("abort", form.quit);
  };
};
