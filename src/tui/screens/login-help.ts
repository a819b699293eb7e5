// What the keys o, c, u and v do: four named edges behind one function. No edge throws, and what each
// says is a sentence for the line below the field.
import type { Secret } from "../../lib/secret.ts";
import type { LoginAttempt } from "../../messages/commands.ts";
import type { OpenBrowser } from "../edges/browser.ts";
import type { Copy } from "../edges/copy.ts";
import type { LinkFile } from "../edges/link-file.ts";
import type { ReadClipboard } from "../edges/read-clipboard.ts";
import type { Note } from "./login-state.ts";

export type LoginEdges = {
  readonly openBrowser: OpenBrowser;
  readonly copy: Copy;
  readonly linkFile: LinkFile;
  readonly readClipboard: ReadClipboard;
};

/** `text` is what the clipboard held. */
export type HelpAnswer = { readonly note: Note | null; readonly text: Secret | null };

/** `asked` false: nobody pressed a key, so nothing is said about a browser that was not even tried. */
export type LoginHelp = (key: string, how: { readonly asked: boolean }) => Promise<HelpAnswer>;

export const createLoginHelp = (attempt: LoginAttempt, { openBrowser, copy, linkFile, readClipboard }: LoginEdges): LoginHelp => async (key, { asked }) => {
  if (key === "o") {
    const { opened, tried, message } = await openBrowser(attempt.browserUrl ?? attempt.authorizeUrl);
    return tried || asked ? said(opened, message) : { note: null, text: null };
  }
  if (key === "c") {
    const { ok, sure, message } = await copy(attempt.authorizeUrl);
    return said(ok, ok && sure ? `${message}.` : `${message} (press u if paste is empty).`);
  }
  if (key === "u") {
    const { ok, message } = await linkFile.write(attempt.authorizeUrl);
    return said(ok, message);
  }
  const clipboard = await readClipboard();
  return clipboard.ok ? { note: { tone: "info", text: clipboard.message }, text: clipboard.text } : said(false, clipboard.message);
};

const said = (good: boolean, text: string): HelpAnswer => ({ note: { tone: good ? "info" : "error", text }, text: null });
