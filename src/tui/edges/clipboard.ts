// Text out to a clipboard and in from it. Never claims a success that cannot be known: a terminal does not answer to
// OSC 52, and an exit code is the word of a tool on this machine, which over SSH is the wrong one. What is copied is
// a link, a line of settings or a request id, never a credential; what is read is a secret from then on.
import { spawn } from "node:child_process";
import type { Clock } from "../../lib/clock.ts";
import { secret } from "../../lib/secret.ts";
import type { Secret } from "../../lib/secret.ts";
import { hasDisplay, isRemote, isWsl } from "./terminal.ts";
import type { Environment } from "./terminal.ts";

/** `sure`: a tool on this machine took it. Otherwise it was sent, and whether it arrived cannot be known. */
export type Copied = { readonly ok: boolean; readonly sure: boolean; readonly message: string };

export type Copy = (text: string) => Promise<Copied>;

/** The part of a child process that is used here. */
export type Tool = {
  readonly stdin: { end(text: string): void; on(event: "error", listener: () => void): unknown } | null;
  on(event: "error", listener: () => void): unknown;
  on(event: "exit", listener: (code: number | null) => void): unknown;
  kill(): unknown;
};

export type SpawnTool = (command: string, args: readonly string[]) => Tool;

export type CopierDeps = {
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
  readonly clock: Clock;
  readonly stdout: { readonly isTTY?: boolean; write(text: string): unknown };
  readonly spawn?: SpawnTool;
  /** A library with tools of its own; loaded only where there is a display but none of the system's tools. */
  readonly load?: () => Promise<Pick<Clipboard, "write">>;
};

/** A tool that neither ends nor fails is given up after this. */
const patienceMs = 1000;
/** hterm, and most that followed it, drop an OSC 52 with more. */
const longestOsc52 = 74_994;

/**
 * Inside tmux its own buffer first (measured with tmux 3.3a: an application's OSC 52 and passthrough
 * are dropped by default, `load-buffer -w` arrives); then OSC 52 over SSH, else the desktop's tool, and
 * OSC 52 as the last resort. Never throws.
 */
export const createCopier = (deps: CopierDeps): Copy => async (text) => {
  const run = (command: string, args: readonly string[]) => runTool(deps, [command, ...args], text);
  if (deps.env["TMUX"] && (await run("tmux", ["load-buffer", "-w", "-"]))) {
    return sent("Sent to tmux (prefix ] pastes it) and to the terminal clipboard");
  }
  if (isRemote(deps.env)) return throughTerminal(deps, text);
  for (const [command, ...args] of clipboardTools(deps)) {
    if (await run(command, args)) return { ok: true, sure: true, message: "Copied to the clipboard" };
  }
  if (await throughLibrary(deps, text)) return { ok: true, sure: true, message: "Copied to the clipboard" };
  return throughTerminal(deps, text);
};

/** Starts a real tool; only its input is ours, so nothing it prints can disturb the screen. */
export const spawnTool: SpawnTool = (command, args) => spawn(command, [...args], { stdio: ["pipe", "ignore", "ignore"], windowsHide: true });

// Waits for `exit`, not for `close`: wl-copy and xclip stay behind as the clipboard's owner.
const runTool = ({ spawn: start = spawnTool, clock }: CopierDeps, [command = "", ...args]: readonly string[], text: string): Promise<boolean> =>
  new Promise((resolve) => {
    const tool = start(command, args);
    const timer = clock.setTimeout(() => {
      tool.kill();
      resolve(false);
    }, patienceMs);
    const finish = (worked: boolean): void => {
      timer.cancel();
      resolve(worked);
    };
    tool.on("error", () => finish(false));
    tool.on("exit", (code) => finish(code === 0));
    tool.stdin?.on("error", () => finish(false));
    tool.stdin?.end(text);
  });

export type Command = readonly [string, ...string[]];

/** The commands that are tried on this machine's own desktop, best first; whether they are installed is not asked. */
export const clipboardTools = ({ env, platform }: Pick<CopierDeps, "env" | "platform">): readonly Command[] => {
  if (platform === "darwin") return [["pbcopy"]];
  if (platform === "win32") return [["clip.exe"]];
  const tools: Command[] = [];
  if (env["TERMUX_VERSION"]) tools.push(["termux-clipboard-set"]);
  if (env["WAYLAND_DISPLAY"]) tools.push(["wl-copy"]);
  if (env["DISPLAY"]) tools.push(["xclip", "-selection", "clipboard", "-in"], ["xsel", "--clipboard", "--input"]);
  if (isWsl(env)) tools.push(["clip.exe"]);
  return tools;
};

const throughLibrary = async ({ env, platform, clock, load = loadClipboard }: CopierDeps, text: string): Promise<boolean> =>
  hasDisplay(env, platform) && (await within(clock, patienceMs, async () => {
    await (await load()).write(text);
    return true;
  })) === true;

const throughTerminal = ({ stdout }: CopierDeps, text: string): Copied => {
  const bytes = Buffer.from(text, "utf8");
  if (stdout.isTTY !== true) return { ok: false, sure: true, message: "There is no clipboard here" };
  if (bytes.length > longestOsc52) return { ok: false, sure: true, message: "Too long for the terminal clipboard" };
  stdout.write(`\u001b]52;c;${bytes.toString("base64")}\u0007`);
  return sent("Sent to the terminal clipboard");
};

const sent = (message: string): Copied => ({ ok: true, sure: false, message });

/** `message` says what was taken (a length, never the text) or why nothing was. */
export type ClipboardText =
  | { readonly ok: true; readonly text: Secret; readonly message: string }
  | { readonly ok: false; readonly message: string };

export type ReadClipboard = () => Promise<ClipboardText>;

export type Clipboard = { read(): Promise<string>; write(text: string): Promise<void> };

export type ReaderDeps = {
  readonly env: Environment;
  readonly clock: Clock;
  readonly load?: () => Promise<Clipboard>;
};

/** A clipboard can hold a whole film; no more of it is looked at. */
const longestText = 1_048_576;

/** The owner of an X selection may never answer. */
const readerPatienceMs = 2000;

/** Loads the library on first use: it brings 51 packages that a start without a sign-in does not need. */
const loadClipboard = async (): Promise<Clipboard> => (await import("clipboardy")).default;

/** Reads once, when a person pressed the key for it, and never on a machine the person does not sit at. Never throws. */
export const createClipboardReader = ({ env, clock, load = loadClipboard }: ReaderDeps): ReadClipboard => async () => {
  if (isRemote(env)) return no("The clipboard of this machine is not yours (SSH). Paste into the terminal instead.");
  const read = await within(clock, readerPatienceMs, async () => (await load()).read());
  if (read === null) return no("The clipboard cannot be read here. Paste into the terminal instead.");
  const text = read.slice(0, longestText).trim();
  if (text === "") return no("The clipboard is empty.");
  const kind = looksLikeCode(text) ? "looks like a code" : "does not look like a code";
  return { ok: true, text: secret(text), message: `Clipboard: ${text.length} characters, ${kind}.` };
};

const no = (message: string): ClipboardText => ({ ok: false, message });

/** Far more than any code with its state, or the address of the page that shows one. */
const longestCode = 4096;

const looksLikeCode = (text: string): boolean => {
  if (text.length > longestCode || /\s/.test(text)) return false;
  const [code = "", state = ""] = text.split("#", 2);
  return (code.length >= 8 && state.length >= 8) || (text.includes("code=") && text.includes("&state="));
};

// Null when `work` fails or takes too long. A rejection is dropped with its text: a tool's complaint may quote what
// it was given.
const within = <T>(clock: Clock, ms: number, work: () => Promise<T>): Promise<T | null> =>
  new Promise((resolve) => {
    const timer = clock.setTimeout(() => resolve(null), ms);
    const finish = (result: T | null): void => {
      timer.cancel();
      resolve(result);
    };
    work().then(finish, () => finish(null));
  });
