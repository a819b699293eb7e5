// The built program with its dashboard in a real terminal, signed in from the start, before a simulated
// Anthropic in the test: sizes, keys, ends and hostile texts are all looked at from here.
import { mkdirSync, readFileSync } from "node:fs";
import type { UpstreamOptions } from "../../src/demo/upstream.ts";
import { storeGrants } from "./data-folder.ts";
import { eventually } from "./eventually.ts";
import { launcher } from "./program.ts";
import type { Environment } from "./program.ts";
import { ask, hello, prepareProxy } from "./real-proxy.ts";
import type { Asked, Question, RealProxy } from "./real-proxy.ts";
import { openTerminal } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";

export type Signed = RealProxy & {
  /** One request with the local key. */
  ask(question?: Question): Promise<Asked>;
  /** A streamed request that has got its first bytes and goes on for as long as the upstream's script says. */
  stream(body?: object): Promise<{ readonly text: Promise<string> }>;
};

/** A home with the named accounts signed in and the notice answered; nothing runs yet. */
export const prepareSigned = async (accounts: readonly string[] = ["ada"], upstreamOptions: Partial<UpstreamOptions> = {}): Promise<Signed> => {
  const proxy = await prepareProxy(upstreamOptions, { CLAUDE_OAUTH_PROXY_TERMS__ACCEPTED: "true" });
  mkdirSync(proxy.dir, { recursive: true, mode: 0o700 });
  storeGrants(proxy.dir, Object.fromEntries(accounts.map((id) => [id, { grant: proxy.upstream.issueTokens(id === "grace" ? { account: "grace" } : {}) }])));
  return {
    ...proxy,
    ask: (question) => ask({ url: proxy.url, key: proxy.key() }, question),
    async stream(body = {}) {
      const headers = { authorization: `Bearer ${proxy.key()}`, "content-type": "application/json" };
      const response = await fetch(`${proxy.url}/v1/messages`, { method: "POST", headers, body: JSON.stringify({ ...hello, stream: true, ...body }) });
      return { text: response.text().catch((error: unknown) => `broken off: ${String(error)}`) };
    },
  };
};

export type DashboardOptions = {
  readonly cols?: number;
  readonly rows?: number;
  readonly env?: Environment;
  readonly args?: readonly string[];
  /** Options of Node itself. */
  readonly nodeArgs?: readonly string[];
  /** In a shell that afterwards says the exit code, and whether the terminal's settings are those of before. */
  readonly inShell?: boolean;
};

/** What a shell runs, and says afterwards. */
const shellAround = (command: string): string => `before=$(stty -g); ${command}; echo "code $?"; [ "$(stty -g)" = "$before" ] && echo "terminal as before"`;

/** The dashboard of that home, with its first frame drawn. */
export const openDashboard = async (proxy: RealProxy, { cols = 80, rows = 24, env = {}, args = [], nodeArgs = [], inShell = false }: DashboardOptions = {}): Promise<Terminal> => {
  const words = [...nodeArgs, launcher, ...args];
  const command = inShell ? { command: "sh", args: ["-c", shellAround(`node ${words.join(" ")}`)] } : { args: words };
  const terminal = openTerminal({ cols, rows, home: proxy.home, env: { ...proxy.env, ...env }, ...command });
  await terminal.waitFor(() => terminal.alternate(), { what: "the dashboard", within: 20_000 });
  await terminal.waitFor(/RUN|TOKEN/);
  // The first frame comes a moment before the keys.
  await eventually(() => terminal.bracketedPaste(), Boolean, { what: "the keys" });
  return terminal;
};

/** Gives the terminal another size and waits until the dashboard has drawn itself for it. */
export const settledAt = async (terminal: Terminal, cols: number, rows: number): Promise<void> => {
  terminal.resize(cols, rows);
  // The grid cuts the old frame in its own way, at the top: a state above and the keys below are a new one.
  const drawn = (seen: readonly string[]): boolean => /RUN/.test(seen[0] ?? "") && (rows < 3 || /q quit/.test(seen.at(-1) ?? ""));
  await eventually(terminal.rows, drawn, { what: `a frame for ${cols}x${rows}` });
};

/** The children of a process, those of its shell's too. */
export const childrenOf = (pid: number): readonly number[] => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
};
