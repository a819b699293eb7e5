// Every key of the sign-in once: when it works, what it does, what the row of keys says. A letter is a key only in a
// field that is not being edited. What a key reaches outside of the form answers with a sentence for the line below
// the field.
import type { Secret } from "../../lib/secret.ts";
import type { OpenBrowser } from "../edges/browser.ts";
import type { Copy, ReadClipboard } from "../edges/clipboard.ts";
import type { LinkFile } from "../edges/link-file.ts";
import type { FormContext, FormDeps, FormState, LoginPhase, Note } from "./form.ts";

/** What the keys reach outside of the form. None of it throws. */
export type LoginEdges = {
  readonly openBrowser: OpenBrowser;
  readonly copy: Copy;
  readonly linkFile: LinkFile;
  readonly readClipboard: ReadClipboard;
};

export type LoginKey = {
  readonly key: string;
  /** What the row of keys says; empty when it is not shown there. */
  readonly does: string;
  /** The same in fewer columns. */
  readonly short?: string;
  readonly phases: readonly LoginPhase[];
  /** Only while the short link is lost. */
  readonly whenLinkLost?: true;
  readonly run: (form: FormContext) => void;
};

const idle: readonly LoginPhase[] = ["waiting", "rejected", "retry"];
const filled: readonly LoginPhase[] = ["editing", "rejected", "retry"];

export const loginKeys: readonly LoginKey[] = [
  { key: "r", does: "try again", phases: ["retry"], run: ({ resend }) => resend() },
  { key: "Enter", does: "send", phases: ["editing"], run: ({ resend }) => resend() },
  { key: "Enter", does: "", phases: ["rejected", "retry"], run: ({ resend }) => resend() },
  { key: "Enter", does: "new link", phases: ["over"], run: ({ end }) => end({ outcome: "again" }) },
  { key: "o", does: "open", phases: idle, run: (form) => openAsked(form) },
  { key: "c", does: "copy link", short: "copy", phases: idle, run: (form) => copyLink(form) },
  { key: "u", does: "file", phases: idle, run: (form) => writeLink(form) },
  { key: "v", does: "clipboard", phases: idle, run: (form) => takeClipboard(form) },
  { key: "n", does: "new link", phases: idle, whenLinkLost: true, run: ({ end }) => end({ outcome: "again" }) },
  { key: "Esc", does: "clear", phases: filled, run: ({ clear }) => clear() },
  // Read by the question itself.
  { key: "y", does: "yes", phases: ["asking"], run: () => {} },
  { key: "n", does: "no", phases: ["asking"], run: () => {} },
  { key: "Esc", does: "cancel", phases: ["waiting", "asking", "exchanging", "over"], run: ({ end }) => end({ outcome: "cancelled" }) },
  { key: "Ctrl+C", does: "quit", phases: [...filled, "waiting", "asking", "exchanging", "over"], run: ({ end }) => end({ outcome: "quit" }) },
];

type KeyState = Pick<FormState, "phase" | "linkLost">;

/** What `key` does now; undefined when nothing. */
export const loginKeyFor = (key: string, state: KeyState): LoginKey | undefined => keysOf(state).find((entry) => entry.key === key);

/** Every key that does something now. */
export const keysOf = ({ phase, linkLost }: KeyState): readonly LoginKey[] =>
  loginKeys.filter(({ phases, whenLinkLost }) => phases.includes(phase) && (whenLinkLost === undefined || linkLost === true));

type Answer = { readonly note: Note | null; readonly text?: Secret };

// The short link is worth nothing after its first use. Without one, the link itself goes by a private file.
const open = ({ attempt, edges }: FormDeps): ReturnType<OpenBrowser> => edges.openBrowser(attempt.shortUrl ?? (() => edges.linkFile.writePage(attempt.authorizeUrl)));

/** Opens the page without being asked: says nothing of a browser that was not even tried. */
export const openPage = (form: FormContext): void =>
  say(form, async (deps) => {
    const { opened, tried, message } = await open(deps);
    return { note: tried ? noteOf(opened, message) : null };
  });

const openAsked = (form: FormContext): void => {
  // A new page gives a new code: what was refused is not needed any more.
  if (form.get().phase === "rejected") form.clear();
  form.set({ note: { tone: "info", text: "Opening the page ..." } });
  say(form, async (deps) => {
    const { opened, message } = await open(deps);
    return { note: noteOf(opened, message) };
  });
};

const copyLink = (form: FormContext): void =>
  say(form, async ({ attempt, edges }) => {
    const { ok, sure, message } = await edges.copy(attempt.authorizeUrl);
    return { note: noteOf(ok, ok && sure ? `${message}.` : `${message} (press u if paste is empty).`) };
  });

const writeLink = (form: FormContext): void =>
  say(form, async ({ attempt, edges }) => {
    const { ok, message } = await edges.linkFile.write(attempt.authorizeUrl);
    return { note: noteOf(ok, message) };
  });

const takeClipboard = (form: FormContext): void =>
  say(form, async ({ edges }) => {
    const clipboard = await edges.readClipboard();
    return { note: noteOf(clipboard.ok, clipboard.message), ...(clipboard.ok ? { text: clipboard.text } : {}) };
  });

const noteOf = (good: boolean, text: string): Note => ({ tone: good ? "info" : "error", text });

// An answer is dropped when something newer has been said by then.
const say = (form: FormContext, ask: (deps: FormContext["deps"]) => Promise<Answer>): void => {
  const before = form.get().note;
  const finish = ({ note, text }: Answer): void => {
    if (form.isDone() || form.get().phase === "exchanging" || form.get().note !== before) return;
    if (text !== undefined) form.submit(text, note);
    else if (note !== null) form.set({ note });
  };
  void ask(form.deps).then(finish);
};
