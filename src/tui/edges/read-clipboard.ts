// The clipboard in: once, when a person pressed the key for it, and never on a machine the person does
// not sit at. The text is a secret from here on: it may be a sign-in code, or anything else.
import type { Clock } from "../../lib/clock.ts";
import { secret } from "../../lib/secret.ts";
import type { Secret } from "../../lib/secret.ts";
import type { Environment } from "./terminal.ts";
import { isRemote } from "./terminal.ts";

/** `message` says what was taken (a length, never the text) or why nothing was. */
export type ClipboardText =
  | { readonly ok: true; readonly text: Secret; readonly message: string }
  | { readonly ok: false; readonly message: string };

export type ReadClipboard = () => Promise<ClipboardText>;

export type Clipboard = { read(): Promise<string>; write(text: string): Promise<void> };

export type ClipboardDeps = {
  readonly env: Environment;
  readonly clock: Clock;
  readonly load?: () => Promise<Clipboard>;
};

/** The owner of an X selection may never answer. */
const patienceMs = 2000;

/** Loads the library on first use: it brings 51 packages that a start without a sign-in does not need. */
export const loadClipboard = async (): Promise<Clipboard> => (await import("clipboardy")).default;

/** The function for the key. It never throws. */
export const createClipboardReader = ({ env, clock, load = loadClipboard }: ClipboardDeps): ReadClipboard => async () => {
  if (isRemote(env)) return no("The clipboard of this machine is not yours (SSH). Paste into the terminal instead.");
  const text = await withDeadline(clock, () => load().then((clipboard) => clipboard.read()));
  if (text === null) return no("The clipboard cannot be read here. Paste into the terminal instead.");
  if (text.trim() === "") return no("The clipboard is empty.");
  const kind = looksLikeCode(text) ? "looks like a code" : "does not look like a code";
  return { ok: true, text: secret(text), message: `Clipboard: ${text.length} characters, ${kind}.` };
};

const no = (message: string): ClipboardText => ({ ok: false, message });

const looksLikeCode = (text: string): boolean => /^\s*\S{8,}#\S{8,}\s*$/.test(text) || /[?&]?code=[^&\s]+&(?:\S*&)?state=/.test(text);

// A rejection is dropped with its text: a tool's complaint may quote what it was given.
const withDeadline = (clock: Clock, work: () => Promise<string>): Promise<string | null> =>
  new Promise((resolve) => {
    const timer = clock.setTimeout(() => resolve(null), patienceMs);
    const finish = (text: string | null): void => {
      timer.cancel();
      resolve(text);
    };
    work().then(finish, () => finish(null));
  });
