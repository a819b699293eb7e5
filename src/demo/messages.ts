// The Messages API proper: POST /v1/messages (JSON and stream), /v1/messages/count_tokens, /v1/models.
import { answer, answerWith, inputUsage, type Answer, type Asked, type Block } from "./answer.ts";
import { answerEvents, messageBody } from "./answer-events.ts";
import { checkAsked } from "./asked.ts";
import { checkCaller, type Caller } from "./credential.ts";
import type { Ledger } from "./ledger.ts";
import type { Limits } from "./limits.ts";
import { errorReply, headerOf, jsonReply, type Arrived, type Header, type Reply } from "./reply.ts";

export type MessagesDeps = { readonly ledger: Ledger; readonly limits: Limits };

/** A scripted answer in place of the echo. */
export type ScriptedAnswer = { readonly blocks: readonly Block[]; readonly stopReason?: string };

// The last is what the official TypeScript SDK 1.11 sends.
const versions = new Set(["2023-06-01", "2023-01-01", "2026-10-21"]);

const versionFault = (arrived: Arrived): Reply | null => {
  const version = headerOf(arrived, "anthropic-version");
  if (version === null) return errorReply(arrived.requestId, { status: 400, message: "anthropic-version: header is required" });
  return versions.has(version) ? null : errorReply(arrived.requestId, { status: 400, message: "anthropic-version: unknown version" });
};

/** The checks every `/v1` call goes through first; then `serve`. */
const admitted = (deps: MessagesDeps, arrived: Arrived, serve: (caller: Caller) => Reply): Reply => {
  const check = checkCaller(deps.ledger, arrived);
  if (!check.ok) return check.reply;
  const fault = versionFault(arrived);
  if (fault !== null) return fault;
  const reply = serve(check.caller);
  return { ...reply, headers: [...reply.headers, ["anthropic-organization-id", check.caller.person.organization.uuid]] };
};

const total = ({ usage }: Answer): number => usage.input_tokens + usage.cache_creation_input_tokens + usage.output_tokens;

const say = (asked: Asked, scripted: ScriptedAnswer | null): Answer => {
  if (scripted === null) return answer(asked);
  const stops = scripted.blocks.some(({ type }) => type === "tool_use") ? "tool_use" : "end_turn";
  return answerWith(asked, scripted.blocks, scripted.stopReason ?? stops);
};

const answered = (said: Answer, stream: boolean, limits: readonly Header[]): Reply => {
  if (!stream) return jsonReply(200, messageBody(said), limits);
  const headers: readonly Header[] = [["content-type", "text/event-stream; charset=utf-8"], ["cache-control", "no-cache"], ...limits];
  return { status: 200, headers, body: { kind: "events", events: answerEvents(said) } };
};

/** `POST /v1/messages`. */
export const createMessage = (deps: MessagesDeps, arrived: Arrived, scripted: ScriptedAnswer | null): Reply =>
  admitted(deps, arrived, (caller) => {
    const check = checkAsked(arrived.body, false);
    if (!check.ok) return errorReply(arrived.requestId, check.error);
    const said = say(check.asked, scripted);
    return answered(said, check.asked.stream, deps.limits.spend(caller, total(said)));
  });

/** `POST /v1/messages/count_tokens`. */
export const countTokens = (deps: MessagesDeps, arrived: Arrived): Reply =>
  admitted(deps, arrived, () => {
    const check = checkAsked(arrived.body, true);
    if (!check.ok) return errorReply(arrived.requestId, check.error);
    const usage = inputUsage(check.asked);
    return jsonReply(200, { input_tokens: usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens });
  });

const models = [
  ["claude-opus-4-8", "Claude Opus 4.8"],
  ["claude-sonnet-4-6", "Claude Sonnet 4.6"],
  ["claude-haiku-4-5-20251001", "Claude Haiku 4.5"],
].map(([id, name]) => ({ type: "model", id, display_name: `${name} (simulated)`, created_at: "2026-01-01T00:00:00Z" }));

/** `GET /v1/models?limit=` (1 to 1000, 20 when absent). */
export const listModels = (deps: MessagesDeps, arrived: Arrived): Reply =>
  admitted(deps, arrived, () => {
    const limit = Number(arrived.query.get("limit") ?? 20);
    if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
      return errorReply(arrived.requestId, { status: 400, message: "limit: Input should be between 1 and 1000" });
    }
    const data = models.slice(0, limit);
    return jsonReply(200, { data, has_more: data.length < models.length, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null });
  });

/** `GET /v1/models/{id}`. */
export const oneModel = (deps: MessagesDeps, arrived: Arrived, id: string): Reply =>
  admitted(deps, arrived, () => {
    const model = models.find((one) => one.id === id);
    return model === undefined ? errorReply(arrived.requestId, { status: 404, message: `model: ${id}` }) : jsonReply(200, model);
  });
