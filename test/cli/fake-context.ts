// A context for commands: streams that remember, a store in memory, parts that are given or refuse.
import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { onTestFinished } from "vitest";
import { runCommandLine } from "../../src/cli/main.ts";
import type { Connect } from "../../src/cli/connection.ts";
import type { Input, Parts, CliContext } from "../../src/cli/context.ts";
import type { OpenStore } from "../../src/app/open-store.ts";
import { secret } from "../../src/lib/secret.ts";
import { createBus } from "../../src/messages/bus.ts";
import type { Commands } from "../../src/messages/commands.ts";
import type { AccountRow, AppState } from "../../src/state/state.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";

export const localKey = "cop_local-key-0123456789";

export type FakeContext = CliContext & {
  readonly said: { readonly out: () => string; readonly err: () => string };
  readonly dir: string;
  readonly input: PassThrough;
  /** Runs one command line in this context; `--dir` is added. */
  run(...args: string[]): Promise<number>;
};

export type FakeOptions = {
  readonly accounts?: readonly AccountRow[];
  readonly commands?: Partial<Commands>;
  readonly store?: Partial<OpenStore>;
  readonly parts?: Partial<Parts>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly connect?: Connect;
  readonly key?: string;
  readonly debuggerAt?: string;
};

export const account = (id: string, more: Partial<AccountRow> = {}): AccountRow => ({
  id,
  kind: "oauth",
  label: `label of ${id}`,
  enabled: true,
  priority: 1,
  health: "healthy",
  coolingUntil: null,
  healthReason: null,
  expiresAt: Date.UTC(2026, 0, 2, 16, 12),
  renewable: true,
  refreshing: false,
  refreshFailures: 0,
  nextRefreshAt: null,
  refreshedAt: null,
  lastRefreshReason: null,
  refreshCount: 0,
  lastError: null,
  limits: [],
  requests: 0,
  ...more,
});

const refused: Connect = async () => {
  throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
};

const remembering = () => {
  let text = "";
  const stream = new Writable({ decodeStrings: false, write: (chunk: string, _encoding, done) => void ((text += chunk), done()) });
  return { stream, text: () => text };
};

const never = (name: string) => async (): Promise<never> => {
  throw new Error(`${name} was not expected`);
};

export const fakeStore = ({ accounts = [], commands = {}, store = {} }: FakeOptions): OpenStore => ({
  commands: { pendingLogin: () => null, cancelLogin: () => {}, ...commands } as Commands,
  store: { snapshot: () => ({ accounts, refreshes: [] }) as unknown as AppState, subscribe: () => () => {} },
  bus: createBus(createFakeClock()),
  importFile: never("importFile"),
  close: async () => {},
  ...store,
});

export const fakeContext = (options: FakeOptions = {}): FakeContext => {
  const dir = join(mkdtempSync(join(tmpdir(), "command-")), "data");
  onTestFinished(() => rmSync(join(dir, ".."), { recursive: true, force: true }));
  const [out, err, input] = [remembering(), remembering(), new PassThrough()];
  const context: CliContext = {
    stdin: input as unknown as Input,
    stdout: out.stream,
    stderr: err.stream,
    environment: options.environment ?? {},
    platform: "linux",
    uid: process.geteuid?.() ?? null,
    debuggerAt: options.debuggerAt ?? null,
    home: "/home/nobody",
    cwd: "/",
    version: "0.1.0",
    launch: ["/usr/bin/node", "/opt/claude-oauth-proxy/bin/claude-oauth-proxy.js"],
    clock: createFakeClock(),
    fetch: never("fetch"),
    connect: options.connect ?? refused,
    signals: new EventEmitter(),
    exit: () => {},
    atCrash: () => {},
    askPassphrase: async () => null,
    parts: {
      createApp: never("createApp"),
      openKey: async () => ({ key: secret(options.key ?? localKey), proxies: [] }),
      openStore: async () => fakeStore(options),
      loadScreens: never("loadScreens"),
      ...options.parts,
    },
  };
  const run = (...args: string[]): Promise<number> => runCommandLine(context, [...args.slice(0, 1), "--dir", dir, ...args.slice(1)]);
  return { ...context, said: { out: out.text, err: err.text }, dir, input, run };
};
