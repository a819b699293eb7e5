// The terminal multiplexer people really run this in: a private server on a socket of its own, without
// anybody's configuration, stopped with the test.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import type { Patience } from "./eventually.ts";
import { killGroup, releaseLater, temporaryFolder } from "./leftovers.ts";
import { cleanEnvironment } from "./program.ts";
import type { Environment } from "./program.ts";

/** False on a machine without tmux: `describe.skipIf(!hasTmux)` says so in the report. */
export const hasTmux = spawnSync("tmux", ["-V"]).status === 0;

type TmuxOptions = {
  /** Program and arguments of the pane. */
  readonly command: readonly string[];
  readonly cols?: number;
  readonly rows?: number;
  readonly env?: Environment;
  readonly home?: string;
  /** Lines of tmux.conf, such as `set -g set-clipboard on`. */
  readonly config?: readonly string[];
};

type Tmux = {
  readonly home: string;
  /** `tmux send-keys`: key names (`Enter`, `C-c`) or text with `literal`. */
  keys(...keys: readonly string[]): void;
  literal(text: string): void;
  /** `load-buffer` and `paste-buffer`; bracketed only when asked for and when the program wants it. */
  paste(text: string, options?: { readonly bracketed?: boolean }): void;
  resize(cols: number, rows: number): void;
  /** `capture-pane -p`; `joined` undoes soft wraps, `scrollback` takes everything. */
  capture(options?: { readonly joined?: boolean; readonly scrollback?: boolean }): string;
  /** `display-message -p` with a format such as `#{cursor_flag}` or `#{alternate_on}`. */
  ask(format: string): string;
  /** The newest paste buffer, as `copy` left it there. */
  buffer(): string;
  waitFor(wanted: string | RegExp, patience?: Patience): Promise<string>;
  killPane(): void;
  stop(): void;
};

/** Starts a server with one session; the pane stays when its program ends, so that it can be looked at. */
export const startTmux = ({ command, cols = 80, rows = 24, env = {}, home = temporaryFolder(), config = [] }: TmuxOptions): Tmux => {
  const socket = join(home, "tmux");
  const environment = cleanEnvironment(home, env);
  const tmux = (args: readonly string[], input?: string): string => {
    const { status, stdout, stderr } = spawnSync("tmux", ["-f", "/dev/null", "-S", socket, ...args], { env: environment, input, encoding: "utf8" });
    if (status !== 0) throw new Error(`tmux ${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  const settings = ["set -g remain-on-exit on", "set -g status off", "set -g history-limit 5000", ...config];
  const before = settings.flatMap((line) => [...line.split(" "), ";"]);
  const size = ["-x", String(cols), "-y", String(rows)];
  tmux(["start-server", ";", ...before, "new-session", "-d", "-s", "t", ...size, "--", ...command]);
  const server = Number(tmux(["display-message", "-p", "#{pid}"]).trim());
  const stop = releaseLater(() => {
    spawnSync("tmux", ["-S", socket, "kill-server"], { env: environment });
    killGroup(server);
  });
  const capture: Tmux["capture"] = ({ joined = false, scrollback = false } = {}) =>
    tmux(["capture-pane", "-p", ...(joined ? ["-J"] : []), ...(scrollback ? ["-S", "-"] : [])]);
  return {
    home,
    keys: (...keys) => void tmux(["send-keys", ...keys]),
    literal: (text) => void tmux(["send-keys", "-l", text]),
    paste(text, { bracketed = true } = {}) {
      tmux(["load-buffer", "-"], text);
      tmux(["paste-buffer", ...(bracketed ? ["-p"] : [])]);
    },
    resize: (newCols, newRows) => void tmux(["resize-window", "-x", String(newCols), "-y", String(newRows)]),
    capture,
    ask: (format) => tmux(["display-message", "-p", format]).trim(),
    buffer: () => tmux(["show-buffer"]),
    waitFor: (wanted, patience = {}) =>
      eventually(() => capture(), (screen) => (typeof wanted === "string" ? screen.includes(wanted) : wanted.test(screen)), { what: String(wanted), ...patience }),
    killPane: () => void tmux(["kill-pane"]),
    stop,
  };
};
