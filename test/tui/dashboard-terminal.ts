// The real dashboard, drawn by Ink into a cell grid.
import { onTestFinished } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import { secret } from "../../src/lib/secret.ts";
import { createBus } from "../../src/messages/bus.ts";
import type { Commands } from "../../src/messages/commands.ts";
import type { EventDraft } from "../../src/messages/events.ts";
import { createStore } from "../../src/state/store.ts";
import { runDashboard } from "../../src/tui/run.tsx";
import type { DashboardDeps, RunningDashboard } from "../../src/tui/run.tsx";
import { createCellTerminal } from "./cell-terminal.ts";
import type { CellTerminal } from "./cell-terminal.ts";

export type DashboardTerminal = CellTerminal & {
  readonly running: RunningDashboard;
  readonly calls: (readonly [string, ...unknown[]])[];
  publish(draft: EventDraft): void;
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
export const openDashboard = ({ ascii = false, set = [], login, before = [listening, account], ...size }: DashboardOptions = {}): DashboardTerminal => {
  const terminal = createCellTerminal(size);
  const calls: (readonly [string, ...unknown[]])[] = [];
  const clock = createSystemClock();
  const bus = createBus(clock);
  const store = createStore({ bus, version: "0.1.0", mode: "oauth" });
  for (const draft of before) bus.publish(draft);
  const stopped = Promise.withResolvers<void>();
  const running = runDashboard({
    app: { config: configOf(set), key: secret("local-key-canary"), store, commands: recording(calls), stopped: stopped.promise },
    stdout: terminal.stdout,
    stdin: terminal.stdin,
    clock,
    ascii,
    copy: async (text) => (calls.push(["copy", text]), { ok: true, message: "Copied" }),
    login: login ?? (async ({ accountId }) => void calls.push(["login", accountId])),
    suspend: () => void calls.push(["suspend"]),
    loopDelayMs: () => null,
    memory: () => null,
    program: "claude-oauth-proxy",
  });
  onTestFinished(() => running.unmount());
  return { ...terminal, running, calls, publish: bus.publish, stop: stopped.resolve };
};

export const listening: EventDraft = { type: "server.listening", url: "http://127.0.0.1:4001", host: "127.0.0.1", port: 4001, mode: "oauth", version: "0.1.0", pid: 7 };
export const account: EventDraft = {
  type: "account.added", accountId: "main", kind: "oauth", label: "dana", enabled: true, priority: 1, expiresAt: Date.now() + 4 * 3_600_000, renewable: true, health: "healthy", lastError: null,
};

/** A request that came in; open until it is finished. */
export const received = (requestId: string, path = "/v1/messages"): EventDraft => ({
  type: "request.received", requestId, method: "POST", path, client: "claude-cli/2.1.197", sessionId: null, agentId: null, parentAgentId: null, bodyBytes: 10,
});

export const configOf = (set: readonly string[]) => {
  const loaded = loadConfig({ flags: [], set, environment: {}, file: null });
  if (!loaded.ok) throw new Error(loaded.problems.join("\n"));
  return loaded.config;
};

const recording = (calls: (readonly [string, ...unknown[]])[]): Commands =>
  new Proxy({} as Commands, { get: (_, name) => async (...args: unknown[]) => void calls.push([String(name), ...args]) });
