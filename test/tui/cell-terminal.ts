// A terminal in this process: streams as Ink gets them on one side, a cell grid on the other. What a person would
// see, and the keys they press.
import { EventEmitter } from "node:events";
import { Writable } from "node:stream";
import headless from "@xterm/headless";
import { eventually } from "../helpers/eventually.ts";

export type CellTerminal = {
  readonly stdin: NodeJS.ReadableStream & { setRawMode(raw: boolean): unknown };
  readonly stdout: Writable & { readonly isTTY: boolean; readonly columns: number; readonly rows: number };
  /** Every byte that was written. */
  bytes(): string;
  rows(): readonly string[];
  screen(): string;
  alternate(): boolean;
  cursorVisible(): boolean;
  rawMode(): boolean;
  press(keys: string): void;
  resize(columns: number, rows: number): void;
  /** The terminal is gone: every write fails from now on. */
  hangUp(): void;
  waitFor(wanted: string | RegExp): Promise<string>;
};

export const createCellTerminal = ({ columns = 80, rows = 24 }: { readonly columns?: number; readonly rows?: number } = {}): CellTerminal => {
  const grid = new headless.Terminal({ cols: columns, rows, scrollback: 1000, allowProposedApi: true });
  const buffer = () => grid.buffer.active;
  const shown = (): readonly string[] => Array.from({ length: grid.rows }, (_, row) => buffer().getLine(buffer().viewportY + row)?.translateToString(true) ?? "");
  const screen = (): string => shown().join("\n");
  let bytes = "";
  const stdout = Object.assign(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        bytes += chunk.toString("utf8");
        // As a terminal driver with its newline translation does.
        grid.write(chunk.toString("utf8").replace(/\r?\n/g, "\r\n"), () => done());
      },
    }),
    { isTTY: true, columns, rows },
  );
  const input = createInput();
  return {
    stdin: input.stream,
    stdout,
    bytes: () => bytes,
    rows: shown,
    screen,
    alternate: () => buffer().type === "alternate",
    cursorVisible: () => bytes.lastIndexOf("\u001b[?25h") > bytes.lastIndexOf("\u001b[?25l"),
    rawMode: input.isRaw,
    press: input.press,
    resize(newColumns, newRows) {
      grid.resize(newColumns, newRows);
      Object.assign(stdout, { columns: newColumns, rows: newRows });
      stdout.emit("resize");
    },
    hangUp: () => void stdout.destroy(Object.assign(new Error("write EPIPE"), { code: "EPIPE", syscall: "write" })),
    waitFor: (wanted) => eventually(screen, (text) => (typeof wanted === "string" ? text.includes(wanted) : wanted.test(text)), { what: String(wanted) }),
  };
};

const nothing = (): void => {};

const createInput = () => {
  const emitter = new EventEmitter();
  let raw = false;
  const waiting: string[] = [];
  const stream = Object.assign(emitter, {
    isTTY: true,
    setRawMode: (mode: boolean) => void (raw = mode),
    setEncoding: nothing,
    ref: nothing,
    unref: nothing,
    resume: nothing,
    pause: nothing,
    read: () => waiting.shift() ?? null,
  });
  return {
    stream: stream as unknown as CellTerminal["stdin"],
    isRaw: () => raw,
    press(keys: string) {
      waiting.push(keys);
      emitter.emit("readable");
    },
  };
};
