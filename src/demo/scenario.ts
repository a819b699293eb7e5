// Demo traffic through the proxy: two sessions, subagents, a token count, now and then a limit, an
// overload, a client that leaves. Bounded: one group of at most two requests at a time, a pause after
// each, a longer one while nobody is signed in. It says that it is the demo and never claims to be
// another client.
import { sleep } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import type { Secret } from "../lib/secret.ts";
import type { Rule } from "./fault.ts";
import { bodyOf, rounds, type Step, type Voice } from "./scenario-steps.ts";
import { grantWishes, wishHeader } from "./scenario-wishes.ts";
import type { RuleHandle } from "./script.ts";

export type ScenarioDeps = {
  /** The proxy's address. */
  readonly baseUrl: string;
  /** The local key; null when the proxy asks for none. */
  readonly key: Secret | null;
  readonly clock: Clock;
  readonly random: Random;
  readonly fetch: typeof fetch;
  /** `script` of the embedded upstream: the limits and overloads are made there. */
  readonly script: (rule: Rule) => RuleHandle;
  readonly version: string;
};

export type Scenario = {
  start(): void;
  /** Leaves every open request; resolves when nothing runs any more. */
  stop(): Promise<void>;
};

type Run = ScenarioDeps & { readonly signal: AbortSignal; readonly ids: Readonly<Record<"main" | "side" | "agent-1" | "agent-2", string>> };

const pauseMs = { least: 600, spread: 1400, whenRefused: 4000 } as const;

const uuid = (random: Random): string => {
  const hex = Buffer.from(random(16)).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
};

const voiceHeaders = (voice: Voice, { ids }: Run): Record<string, string> => {
  if (voice === "main" || voice === "side") return { "x-claude-code-session-id": ids[voice] };
  const first = { "x-claude-code-session-id": ids.side, "x-claude-code-agent-id": ids["agent-1"] };
  return voice === "subagent-1" ? first : { ...first, "x-claude-code-agent-id": ids["agent-2"], "x-claude-code-parent-agent-id": ids["agent-1"] };
};

const headersOf = (step: Step, run: Run): Record<string, string> => ({
  "user-agent": `claude-oauth-proxy-demo/${run.version}`,
  "content-type": "application/json",
  accept: "application/json",
  "anthropic-version": "2023-06-01",
  "anthropic-beta": "interleaved-thinking-2025-05-14",
  ...voiceHeaders(step.voice, run),
  ...(run.key === null ? {} : { authorization: `Bearer ${run.key.reveal()}` }),
  ...(step.wish === null ? {} : { [wishHeader]: step.wish }),
});

/** Reads to the end, or leaves in the middle as a person does who presses Escape. */
const readAnswer = async (response: Response, leaveAfterChunks: number | null, leave: () => void): Promise<void> => {
  let chunks = 0;
  for await (const _ of response.body ?? []) {
    chunks += 1;
    if (chunks === leaveAfterChunks) return leave();
  }
};

/** The status, or null when there was no whole answer. Failures are the dashboard's to show. */
const send = async (step: Step, turn: number, run: Run): Promise<number | null> => {
  const own = new AbortController();
  const signal = AbortSignal.any([run.signal, own.signal]);
  try {
    const response = await run.fetch(run.baseUrl + step.path, { method: "POST", headers: headersOf(step, run), body: bodyOf(step, turn), signal });
    await readAnswer(response, step.leaveAfterChunks, () => own.abort());
    return response.status;
  } catch {
    return null;
  }
};

/** A refusal of the proxy itself, or nobody there: more requests would only fill the screen. */
const isRefusal = (status: number | null): boolean => status === null || status === 401 || status === 503;

const play = async (run: Run): Promise<void> => {
  for (let turn = 0; !run.signal.aborted; turn += 1) {
    const group = rounds[turn % rounds.length] ?? [];
    const statuses = await Promise.all(group.map((step) => send(step, Math.floor(turn / 2), run)));
    const jitter = ((run.random(1)[0] ?? 0) / 256) * pauseMs.spread;
    await sleep(run.clock, statuses.every(isRefusal) ? pauseMs.whenRefused : pauseMs.least + jitter, run);
  }
};

/** Nothing runs before `start`. */
export const createScenario = (deps: ScenarioDeps): Scenario => {
  const stopping = new AbortController();
  let running: Promise<void> | null = null;
  return {
    start() {
      if (running !== null || stopping.signal.aborted) return;
      const ids = { main: uuid(deps.random), side: uuid(deps.random), "agent-1": uuid(deps.random), "agent-2": uuid(deps.random) };
      const takeBack = grantWishes(deps.script);
      running = play({ ...deps, signal: stopping.signal, ids }).finally(takeBack);
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
};
