// A real terminal without a window: a pseudo-terminal on one side, a cell grid on the other. Tests look
// at what a person would see, never at escape sequences (except to prove that a mode was given back).
import { spawnSync } from "node:child_process";
import pty from "@lydell/node-pty";
import headless from "@xterm/headless";
import { eventually } from "./eventually.ts";
import type { Patience } from "./eventually.ts";
import { killGroup, releaseLater, temporaryFolder } from "./leftovers.ts";
import { cleanEnvironment } from "./program.ts";
import type { Environment } from "./program.ts";

type TerminalOptions = {
  /** Default: this Node. */
  readonly command?: string;
  readonly args?: readonly string[];
  readonly cols?: number;
  readonly rows?: number;
  readonly env?: Environment;
  readonly home?: string;
  readonly cwd?: string;
};

type Cell = { readonly chars: string; readonly bold: boolean; readonly dim: boolean; readonly inverse: boolean; readonly color: number | null };

export type Terminal = {
  readonly pid: number;
  readonly home: string;
  /** Resolves with what a shell would call the exit code; 128 + n after a signal. */
  readonly exited: Promise<number>;
  /** Types, byte by byte as given. */
  write(text: string): void;
  /** Pastes as a terminal with bracketed paste does (`CSI 200~ … CSI 201~`). */
  paste(text: string): void;
  resize(cols: number, rows: number): void;
  /** Stops reading what the program writes, as a terminal behind a dead line does; `resume` reads on. */
  stall(): void;
  resume(): void;
  /** The visible rows, without blanks at their ends. */
  rows(): readonly string[];
  /** The visible rows as one text. */
  screen(): string;
  /** Scrollback and screen, soft-wrapped rows joined. */
  everything(): string;
  /** Rows that have left the screen at its top. */
  scrolled(): number;
  columns(): number;
  cell(x: number, y: number): Cell;
  cursor(): { readonly x: number; readonly y: number; readonly visible: boolean };
  /** The alternate screen is shown. */
  alternate(): boolean;
  bracketedPaste(): boolean;
  mouse(): boolean;
  /** The terminal's own line editing and echo are off: keys arrive one by one. */
  rawMode(): boolean;
  /** Every byte the program wrote. */
  bytes(): string;
  /** Waits until the screen holds the text, fits the pattern or passes the test; throws with the whole screen. */
  waitFor(wanted: string | RegExp | ((screen: string) => boolean), patience?: Patience): Promise<string>;
  waitForExit(patience?: Patience): Promise<number>;
  kill(signal?: NodeJS.Signals): void;
  /** Kills what runs in it and waits for its end. */
  close(): Promise<void>;
};

/** Opens a terminal and runs `command` in it, with a clean environment; it is closed with the test. */
export const openTerminal = (options: TerminalOptions = {}): Terminal => {
  const { cols = 80, rows = 24, home = temporaryFolder() } = options;
  const grid = new headless.Terminal({ cols, rows, scrollback: 5000, allowProposedApi: true });
  const child = pty.spawn(options.command ?? process.execPath, [...(options.args ?? [])], {
    name: options.env?.["TERM"] ?? "xterm-256color",
    cols,
    rows,
    cwd: options.cwd ?? home,
    env: cleanEnvironment(home, options.env),
  });
  let bytes = "";
  let ended = false;
  child.onData((data) => {
    bytes += data;
    grid.write(data);
  });
  // A terminal answers the questions of the program (device attributes, cursor position).
  grid.onData((answer) => void (ended || child.write(answer)));
  const exited = new Promise<number>((done) => {
    child.onExit(({ exitCode, signal }) => {
      ended = true;
      done(signal ? 128 + signal : exitCode);
    });
  });
  const kill = (signal: NodeJS.Signals = "SIGKILL"): void => (ended ? undefined : killGroup(child.pid, signal));
  const release = releaseLater(() => {
    kill();
    grid.dispose();
  });
  const drawn = (): Promise<void> => new Promise((done) => grid.write("", done));
  const seen = picture(grid, () => bytes);
  const look = async (): Promise<string> => (await drawn(), seen.screen());
  const say = (text: string): void => void (ended || child.write(text));
  return {
    pid: child.pid,
    home,
    exited,
    write: say,
    paste: (text) => say(`\u001b[200~${text}\u001b[201~`),
    resize(newCols, newRows) {
      grid.resize(newCols, newRows);
      child.resize(newCols, newRows);
    },
    stall: () => child.pause(),
    resume: () => child.resume(),
    ...seen,
    rawMode: () => / -icanon /.test(settingsOf(child.pid)),
    bytes: () => bytes,
    async waitFor(wanted, patience = {}) {
      return eventually(look, (screen) => fits(screen, wanted), { what: String(wanted), ...patience });
    },
    async waitForExit(patience = {}) {
      await eventually(seen.everything, () => ended, { what: "the end of the program", ...patience });
      await drawn();
      return exited;
    },
    kill,
    async close() {
      kill();
      await exited;
      release();
    },
  };
};

const settingsOf = (pid: number): string => {
  const { stdout } = spawnSync("stty", ["-a", "-F", `/proc/${pid}/fd/0`], { encoding: "utf8" });
  return stdout.replaceAll("\n", " ");
};

const fits = (screen: string, wanted: string | RegExp | ((screen: string) => boolean)): boolean => {
  if (typeof wanted === "string") return screen.includes(wanted);
  return typeof wanted === "function" ? wanted(screen) : wanted.test(screen);
};

type Grid = InstanceType<typeof headless.Terminal>;
type Picture = Pick<Terminal, "rows" | "screen" | "everything" | "scrolled" | "columns" | "cell" | "cursor" | "alternate" | "bracketedPaste" | "mouse">;

const picture = (grid: Grid, bytes: () => string): Picture => {
  // A narrowed grid remembers cells beyond its edge, which nobody sees.
  const line = (y: number): string => grid.buffer.active.getLine(y)?.translateToString(true, 0, grid.cols) ?? "";
  const rows = (): readonly string[] => Array.from({ length: grid.rows }, (_, y) => line(grid.buffer.active.baseY + y));
  const everything = (): string => {
    let text = "";
    for (let y = 0; y < grid.buffer.active.length; y += 1) {
      const wrapped = grid.buffer.active.getLine(y)?.isWrapped === true;
      text += (y === 0 || wrapped ? "" : "\n") + line(y);
    }
    return text;
  };
  return {
    rows,
    screen: () => rows().join("\n"),
    everything,
    scrolled: () => grid.buffer.active.baseY,
    columns: () => grid.cols,
    cell(x, y) {
      const cell = grid.buffer.active.getLine(grid.buffer.active.baseY + y)?.getCell(x);
      if (cell === undefined) return { chars: "", bold: false, dim: false, inverse: false, color: null };
      const color = cell.isFgDefault() ? null : cell.getFgColor();
      return { chars: cell.getChars(), bold: cell.isBold() !== 0, dim: cell.isDim() !== 0, inverse: cell.isInverse() !== 0, color };
    },
    cursor: () => ({
      x: grid.buffer.active.cursorX,
      y: grid.buffer.active.cursorY,
      visible: bytes().lastIndexOf("\u001b[?25h") >= bytes().lastIndexOf("\u001b[?25l"),
    }),
    alternate: () => grid.buffer.active.type === "alternate",
    bracketedPaste: () => grid.modes.bracketedPasteMode,
    mouse: () => grid.modes.mouseTrackingMode !== "none",
  };
};
