// What kind of terminal this is, decided once from the environment. Pure: the caller hands in what it
// read, so that `doctor` and the tests can ask about a terminal that is not theirs. Must never write
// to the terminal to find out: an answer that is not read ends up in the shell.

/** The environment as it was found; nothing here is ever changed. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type TerminalSigns = {
  readonly stdinIsTty: boolean;
  readonly stdoutIsTty: boolean;
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
  /** `--headless` or `--plain`. */
  readonly headless: boolean;
  /** `--ascii`. */
  readonly ascii: boolean;
};

export type TerminalFacts = {
  /** Why lines are written instead of a dashboard, in words for a person; null when it may be drawn. */
  readonly plainBecause: string | null;
  /** Box drawing and other signs beyond ASCII may be used. */
  readonly utf8: boolean;
  /** SGR colours may be used (https://no-color.org; an explicit FORCE_COLOR wins, as in Node itself). */
  readonly colour: boolean;
  readonly ssh: boolean;
  readonly tmux: boolean;
  readonly wsl: boolean;
  /** A browser or a clipboard tool has somewhere to show up. */
  readonly display: boolean;
};

/** Reads the signs; an empty variable counts as absent everywhere. */
export const readTerminal = (signs: TerminalSigns): TerminalFacts => ({
  plainBecause: plainBecause(signs),
  utf8: hasUtf8(signs),
  colour: hasColour(signs.env),
  ssh: isRemote(signs.env),
  tmux: isSet(signs.env["TMUX"]),
  wsl: isWsl(signs.env),
  display: hasDisplay(signs.env, signs.platform),
});

/** The shell is on another machine than the person: its browser and its clipboard are the wrong ones. */
export const isRemote = (env: Environment): boolean =>
  isSet(env["SSH_CONNECTION"]) || isSet(env["SSH_TTY"]) || isSet(env["SSH_CLIENT"]);

/** Windows Subsystem for Linux: it has no X display of its own but reaches the desktop of Windows. */
export const isWsl = (env: Environment): boolean => isSet(env["WSL_DISTRO_NAME"]) || isSet(env["WSL_INTEROP"]);

/** True where windows can be opened. */
export const hasDisplay = (env: Environment, platform: NodeJS.Platform): boolean =>
  platform === "darwin" || platform === "win32" || isSet(env["DISPLAY"]) || isSet(env["WAYLAND_DISPLAY"]) || isWsl(env);

const isSet = (value: string | undefined): boolean => value !== undefined && value !== "";

// Ink throws out of its first render when standard input has no raw mode, and draws one frame without
// keys when CI is set; both are decided here, before it is imported.
const plainBecause = ({ stdinIsTty, stdoutIsTty, env, headless }: TerminalSigns): string | null => {
  if (headless) return "asked for by --headless";
  if (!stdoutIsTty) return "standard output is not a terminal";
  if (!stdinIsTty) return "standard input is not a terminal";
  if (env["TERM"] === "dumb") return "TERM is dumb";
  if (isOn(env["CI"])) return "CI is set";
  // Ink writes every update for a screen reader as new text, without any limit: lines are kinder.
  return env["INK_SCREEN_READER"] === "true" ? "INK_SCREEN_READER is set" : null;
};

const isOn = (value: string | undefined): boolean => isSet(value) && !/^(0|false|no|off)$/i.test(value ?? "");

const hasColour = (env: Environment): boolean => {
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined) return !/^(0|false)$/.test(forced);
  return !isSet(env["NO_COLOR"]) && env["TERM"] !== "dumb";
};

// POSIX: LC_ALL beats LC_CTYPE beats LANG. The Linux console has UTF-8 but few of the glyphs.
const hasUtf8 = ({ env, platform, ascii }: TerminalSigns): boolean => {
  if (ascii || env["TERM"] === "linux" || env["TERM"] === "dumb") return false;
  if (platform === "win32") return isSet(env["WT_SESSION"]) || env["TERM_PROGRAM"] === "vscode";
  const locale = [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find(isSet);
  return /utf-?8/i.test(locale ?? "");
};
