// The real dashboard, drawn by Ink into a cell grid: what a person would see, and the keys they press.
import { EventEmitter } from "node:events";
import { Writable } from "node:stream";
import headless from "@xterm/headless";
import { onTestFinished } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import { createBus } from "../../src/messages/bus.ts";
import type { EventDraft } from "../../src/messages/events.ts";
import { secret } from "../../src/lib/secret.ts";
import type { Commands } from "../../src/messages/commands.ts";
import { createStore } from "../../src/state/store.ts";
import { runDashboard } from "../../src/tui/run.tsx";
import type { DashboardDeps, RunningDashboard } from "../../src/tui/run.tsx";
import { eventually } from "../helpers/eventually.ts";

export type DashboardTerminal = {
  readonly running: RunningDashboard;
  readonly calls: (readonly [string, ...unknown[]])[];
  /** Every byte that was written. */
  bytes(): string;
  rows(): readonly string[];
  screen(): string;
  alternate(): boolean;
  cursorVisible(): boolean;
  rawMode(): boolean;
  publish(draft: EventDraft): void;
  press(keys: string): void;
  resize(columns: number, rows: number): void;
  /** The terminal is gone: every write fails from now on. */
  hangUp(): void;
  waitFor(wanted: string | RegExp): Promise<string>;
  /** The program behind the screen has stopped. */
  stop(): void;
};

export type DashboardOptions = {
  readonly columns?: number;
  readonly rows?: number;
  readonly ascii?: boolean;
  /** Settings, `key=value`. */
  readonly set?: readonly string[];
  readonly login?: DashboardDeps["login"];
  /** What has happened before the first frame. */
  readonly before?: readonly EventDraft[];
};

/** Opens the dashboard on a terminal of `columns` × `rows`; it is closed with the test. */
export const openDashboard = (options: DashboardOptions = {}): DashboardTerminal => {
  const { columns = 80, rows = 24, ascii = false } = options;
  const grid = new headless.Terminal({ cols: columns, rows, scrollback: 1000, allowProposedApi: true });
  const calls: (readonly [string, ...unknown[]])[] = [];
  const stdout = createOutput(grid, columns, rows);
  const stdin = createInput();
  const clock = createSystemClock();
  const bus = createBus(clock);
  const store = createStore({ bus, version: "0.1.0", mode: "oauth" });
  for (const draft of options.before ?? [listening, account]) bus.publish(draft);
  const stopped = Promise.withResolvers<void>();
  const running = runDashboard({
    app: { config: configOf(options.set ?? []), key: secret("local-key-canary"), store, commands: recording(calls), stopped: stopped.promise },
    stdout: stdout.stream,
    stdin: stdin.stream,
    clock,
    ascii,
    copy: async (text) => (calls.push(["copy", text]), { ok: true, message: "Copied" }),
    login: options.login ?? (async ({ accountId }) => void calls.push(["login", accountId])),
    suspend: () => void calls.push(["suspend"]),
    loopDelayMs: () => null,
    memory: () => null,
    program: "claude-oauth-proxy",
  });
  onTestFinished(() => running.unmount());
  const buffer = () => grid.buffer.active;
  const shown = (): readonly string[] => Array.from({ length: grid.rows }, (_, row) => buffer().getLine(buffer().viewportY + row)?.translateToString(true) ?? "");
  return {
    running,
    calls,
    bytes: stdout.bytes,
    rows: shown,
    screen: () => shown().join("\n"),
    alternate: () => buffer().type === "alternate",
    cursorVisible: () => stdout.bytes().lastIndexOf("\u001b[?25h") > stdout.bytes().lastIndexOf("\u001b[?25l"),
    rawMode: stdin.isRaw,
    publish: bus.publish,
    press: stdin.press,
    resize(newColumns, newRows) {
      grid.resize(newColumns, newRows);
      stdout.resize(newColumns, newRows);
    },
    hangUp: () => void stdout.stream.destroy(Object.assign(new Error("write EPIPE"), { code: "EPIPE", syscall: "write" })),
    waitFor: (wanted) => waitFor(() => shown().join("\n"), wanted),
    stop: stopped.resolve,
  };
};

export const listening: EventDraft = { type: "server.listening", url: "http://127.0.0.1:4001", host: "127.0.0.1", port: 4001, mode: "oauth", version: "0.1.0", pid: 7 };
export const account: EventDraft = {
  type: "account.added", accountId: "main", kind: "oauth", label: "dana", enabled: true, priority: 1, expiresAt: Date.now() + 4 * 3_600_000, renewable: true, health: "healthy", lastError: null,
};

/** A request that came in; open until it is finished. */
export const received = (requestId: string, path = "/v1/messages"): EventDraft => ({
  type: "request.received", requestId, method: "POST", path, client: "claude-cli/2.1.197", sessionId: null, agentId: null, parentAgentId: null, bodyBytes: 10,
});

const waitFor = (screen: () => string, wanted: string | RegExp): Promise<string> =>
  eventually(screen, (text) => (typeof wanted === "string" ? text.includes(wanted) : wanted.test(text)), { what: String(wanted) });

const configOf = (set: readonly string[]) => {
  const loaded = loadConfig({ flags: [], set, environment: {}, file: null });
  if (!loaded.ok) throw new Error(loaded.problems.join("\n"));
  return loaded.config;
};

const recording = (calls: (readonly [string, ...unknown[]])[]): Commands =>
  new Proxy({} as Commands, { get: (_, name) => async (...args: unknown[]) => void calls.push([String(name), ...args]) });

const createOutput = (grid: InstanceType<typeof headless.Terminal>, columns: number, rows: number) => {
  let bytes = "";
  const stream = Object.assign(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        bytes += chunk.toString("utf8");
        // As a terminal driver with its newline translation does.
        grid.write(chunk.toString("utf8").replace(/\r?\n/g, "\r\n"), () => done());
      },
    }),
    { isTTY: true, columns, rows },
  );
  return {
    stream,
    bytes: () => bytes,
    resize(newColumns: number, newRows: number) {
      Object.assign(stream, { columns: newColumns, rows: newRows });
      stream.emit("resize");
    },
  };
};

const createInput = () => {
  const emitter = new EventEmitter();
  let raw = false;
  const waiting: string[] = [];
  const stream = Object.assign(emitter, {
    isTTY: true,
    setRawMode: (mode: boolean) => void (raw = mode),
    setEncoding: () => {},
    ref: () => {},
    unref: () => {},
    resume: () => {},
    pause: () => {},
    read: () => waiting.shift() ?? null,
  });
  return {
    stream: stream as unknown as NodeJS.ReadableStream,
    isRaw: () => raw,
    press(keys: string) {
      waiting.push(keys);
      emitter.emit("readable");
    },
  };
};
