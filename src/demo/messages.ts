// The Messages API proper: POST /v1/messages (JSON and stream), /v1/messages/count_tokens, /v1/models, and the
// rate limits of the invented plans.
import type { Clock } from "../lib/clock.ts";
import { answerEvents, answerTo, answerWith, inputUsage, messageBody, type Answer, type Block, type MessagesRequest } from "./answer.ts";
import { errorReply, headerOf, jsonReply, type Header, type Reply, type SimulatedRequest } from "./reply.ts";
import { checkBody, checkCaller, type Caller } from "./request-check.ts";
import type { Tokens } from "./tokens.ts";
import type { SimulatedUser } from "./users.ts";

export type MessagesDeps = { readonly tokens: Tokens; readonly limits: Limits };

/** A scripted answer in place of the echo. */
export type ScriptedAnswer = { readonly blocks: readonly Block[]; readonly stopReason?: string };

/** `POST /v1/messages` */
export const createMessage = (deps: MessagesDeps, request: SimulatedRequest, scripted: ScriptedAnswer | null): Reply =>
  admitted(deps, request, (caller) => {
    const check = checkBody(request.body, false);
    if (!check.ok) return errorReply(request.requestId, check.error);
    const answer = scripted === null ? answerTo(check.body) : scriptedAnswer(check.body, scripted);
    const { input_tokens, cache_creation_input_tokens, output_tokens } = answer.usage;
    return answered(answer, check.body.stream, deps.limits.spend(caller, input_tokens + cache_creation_input_tokens + output_tokens));
  });

const scriptedAnswer = (request: MessagesRequest, { blocks, stopReason }: ScriptedAnswer): Answer =>
  answerWith(request, blocks, stopReason ?? (blocks.some(({ type }) => type === "tool_use") ? "tool_use" : "end_turn"));

const answered = (answer: Answer, stream: boolean, limits: readonly Header[]): Reply => {
  if (!stream) return jsonReply(200, messageBody(answer), limits);
  const headers: readonly Header[] = [["content-type", "text/event-stream; charset=utf-8"], ["cache-control", "no-cache"], ...limits];
  return { status: 200, headers, body: { kind: "events", events: answerEvents(answer) } };
};

/** `POST /v1/messages/count_tokens` */
export const countTokens = (deps: MessagesDeps, request: SimulatedRequest): Reply =>
  admitted(deps, request, () => {
    const check = checkBody(request.body, true);
    if (!check.ok) return errorReply(request.requestId, check.error);
    const usage = inputUsage(check.body);
    return jsonReply(200, { input_tokens: usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens });
  });

const models = [
  ["claude-opus-4-8", "Claude Opus 4.8"],
  ["claude-sonnet-4-6", "Claude Sonnet 4.6"],
  ["claude-haiku-4-5-20251001", "Claude Haiku 4.5"],
].map(([id, name]) => ({ type: "model", id, display_name: `${name} (simulated)`, created_at: "2026-01-01T00:00:00Z" }));

/** `GET /v1/models?limit=` (1 to 1000, 20 when absent) */
export const listModels = (deps: MessagesDeps, request: SimulatedRequest): Reply =>
  admitted(deps, request, () => {
    const limit = Number(request.query.get("limit") ?? 20);
    if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
      return errorReply(request.requestId, { status: 400, message: "limit: Input should be between 1 and 1000" });
    }
    const data = models.slice(0, limit);
    return jsonReply(200, { data, has_more: data.length < models.length, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null });
  });

/** `GET /v1/models/{id}` */
export const oneModel = (deps: MessagesDeps, request: SimulatedRequest, id: string): Reply =>
  admitted(deps, request, () => {
    const model = models.find((one) => one.id === id);
    return model === undefined ? errorReply(request.requestId, { status: 404, message: `model: ${id}` }) : jsonReply(200, model);
  });

/** The checks that every `/v1` call goes through first; then `serve`. */
const admitted = (deps: MessagesDeps, request: SimulatedRequest, serve: (caller: Caller) => Reply): Reply => {
  const check = checkCaller(deps.tokens, request);
  if (!check.ok) return check.reply;
  const fault = versionFault(headerOf(request, "anthropic-version"));
  if (fault !== null) return errorReply(request.requestId, { status: 400, message: `anthropic-version: ${fault}` });
  const reply = serve(check.caller);
  return { ...reply, headers: [...reply.headers, ["anthropic-organization-id", check.caller.user.organization.uuid]] };
};

// The last is what the official TypeScript SDK 1.11 sends.
const versions = new Set(["2023-06-01", "2023-01-01", "2026-10-21"]);

const versionFault = (version: string | null): string | null => {
  if (version === null) return "header is required";
  return versions.has(version) ? null : "unknown version";
};

type Window = { readonly name: string; readonly claim: string; readonly ms: number; readonly budget: number; readonly start: number };

const hour = 3_600_000;

/** Budgets are small, so that a quarter of an hour of demo traffic moves the bars; `start` is the share used before. */
const windows: readonly [Window, Window] = [
  { name: "5h", claim: "five_hour", ms: 5 * hour, budget: 400_000, start: 0.18 },
  { name: "7d", claim: "seven_day", ms: 168 * hour, budget: 4_000_000, start: 0.41 },
];

type Reading = { readonly utilization: number; readonly resetsAt: number };

export type Limits = ReturnType<typeof createLimits>;

/** What is left of the invented plans, and the headers that say so: unified windows for a subscription (fractions, epoch seconds), classic counters for an API key (RFC 3339). */
export const createLimits = (clock: Clock) => {
  const spent = new Map<string, { resetsAt: number; tokens: number }>();

  const meter = (user: SimulatedUser, window: Window) => {
    const key = `${user.id} ${window.name}`;
    const known = spent.get(key);
    if (known !== undefined && clock.now() < known.resetsAt) return known;
    const fresh = { resetsAt: Math.floor((clock.now() + window.ms) / 1000) * 1000, tokens: known === undefined ? window.start * window.budget : 0 };
    spent.set(key, fresh);
    return fresh;
  };

  const readings = (user: SimulatedUser, full: string | null): ReadonlyMap<Window, Reading> =>
    new Map(
      windows.map((window) => {
        const { tokens, resetsAt } = meter(user, window);
        const share = Math.round((tokens / window.budget) * 1000) / 1000;
        return [window, { utilization: window.name === full ? 1.02 : share, resetsAt }];
      }),
    );

  const classic = (tokens: number): readonly Header[] => {
    const reset = new Date(clock.now() + 60_000).toISOString();
    const counters: readonly (readonly [string, number, number])[] = [["requests", 4000, 1], ["input-tokens", 2_000_000, tokens], ["output-tokens", 400_000, tokens]];
    return counters.flatMap(([name, limit, used]): readonly Header[] => [
      [`anthropic-ratelimit-${name}-limit`, String(limit)],
      [`anthropic-ratelimit-${name}-remaining`, String(Math.max(0, limit - used))],
      [`anthropic-ratelimit-${name}-reset`, reset],
    ]);
  };

  return {
    /** Counts `tokens` and gives the headers of the answer that spent them. */
    spend({ user, kind }: Caller, tokens: number): readonly Header[] {
      if (kind === "api_key") return classic(tokens);
      for (const window of windows) meter(user, window).tokens += tokens;
      return unifiedHeaders(readings(user, null), null);
    },
    /** Headers of a 429 that says that the plan is used up, with `retry-after`. */
    rejected(user: SimulatedUser, window: "5h" | "7d"): readonly Header[] {
      const all = readings(user, window);
      const resetsAt = [...all].find(([{ name }]) => name === window)?.[1].resetsAt ?? clock.now();
      return [...unifiedHeaders(all, window), ["retry-after", String(Math.max(0, Math.ceil((resetsAt - clock.now()) / 1000)))]];
    },
  };
};

/** The headers of one unified answer; `rejected` is the window that refuses, if one does. */
const unifiedHeaders = (readings: ReadonlyMap<Window, Reading>, rejected: string | null): readonly Header[] => {
  const prefix = "anthropic-ratelimit-unified";
  const all = [...readings].map(([window, reading]) => ({ ...window, ...reading, status: window.name === rejected ? "rejected" : statusOf(reading.utilization) }));
  const binding = all.find(({ name }) => name === rejected) ?? all.reduce((most, one) => (one.utilization > most.utilization ? one : most));
  return [
    [`${prefix}-status`, binding.status],
    [`${prefix}-reset`, String(binding.resetsAt / 1000)],
    [`${prefix}-representative-claim`, binding.claim],
    ...all.flatMap(({ name, status, resetsAt, utilization }): readonly Header[] => [
      [`${prefix}-${name}-status`, status],
      [`${prefix}-${name}-reset`, String(resetsAt / 1000)],
      [`${prefix}-${name}-utilization`, String(utilization)],
    ]),
    [`${prefix}-fallback-percentage`, "0.5"],
    [`${prefix}-overage-status`, "rejected"],
    [`${prefix}-overage-disabled-reason`, "out_of_credits"],
  ];
};

const statusOf = (utilization: number): string => (utilization >= 0.8 ? "allowed_warning" : "allowed");
