// What an answer of the Messages API cost, and what a streamed one is doing, read from parsed values from outside: a
// missing or odd value leaves what was known before. Unknown events and unknown delta types are tolerated, as the
// streaming documentation asks.
import { readErrorBody } from "../lib/error-body.ts";
import type { ErrorBody } from "../lib/error-body.ts";
import { isObject, own, parseJson } from "../lib/json.ts";
import type { JsonObject } from "../lib/json.ts";
import type { Secret } from "../lib/secret.ts";
import { visibleText } from "../lib/visible-text.ts";
import type { Phase } from "../messages/events.ts";

/** Null is "not said". Total input is the sum of the three input counts. */
export type Usage = {
  model: string | null;
  inputTokens: number | null;
  outputTokens: number | null;
  cacheReadTokens: number | null;
  cacheCreationTokens: number | null;
  stopReason: string | null;
};

export const emptyUsage = (): Usage => ({
  model: null,
  inputTokens: null,
  outputTokens: null,
  cacheReadTokens: null,
  cacheCreationTokens: null,
  stopReason: null,
});

const noFields: JsonObject = {};
const fieldsOf = (value: unknown): JsonObject => (isObject(value) ? value : noFields);

/** Reads a message object: a whole JSON answer, or `message` of a `message_start` event. True when it held a usage. */
export const readMessage = (usage: Usage, message: unknown): boolean => {
  const fields = fieldsOf(message);
  usage.model = textOf(fields["model"]) ?? usage.model;
  usage.stopReason = textOf(fields["stop_reason"]) ?? usage.stopReason;
  return readCounts(usage, fields["usage"]);
};

/** Reads a `message_delta` event. Its counts are cumulative: they replace, and are never added (streaming docs). */
export const readMessageDelta = (usage: Usage, event: unknown): boolean => {
  const fields = fieldsOf(event);
  usage.stopReason = textOf(fieldsOf(fields["delta"])["stop_reason"]) ?? usage.stopReason;
  return readCounts(usage, fields["usage"]);
};

const readCounts = (usage: Usage, counts: unknown): boolean => {
  if (!isObject(counts)) return false;
  usage.inputTokens = countOf(counts["input_tokens"]) ?? usage.inputTokens;
  usage.outputTokens = countOf(counts["output_tokens"]) ?? usage.outputTokens;
  usage.cacheReadTokens = countOf(counts["cache_read_input_tokens"]) ?? usage.cacheReadTokens;
  usage.cacheCreationTokens = countOf(counts["cache_creation_input_tokens"]) ?? usage.cacheCreationTokens;
  return true;
};

const textOf = (value: unknown): string | null => (typeof value === "string" && value !== "" ? visibleText(value, 100) : null);

const countOf = (value: unknown): number | null => (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null);

export type MessageStream = {
  /** One scanned event; `data` is null when it was too long to keep. */
  read(name: string, data: string | null): void;
  phase(): Phase;
  /** Null until `message_start` or `message_delta` said something of it. */
  usage(): Usage | null;
  /** The error event of a stream that had begun with status 200. */
  error(): ErrorBody | null;
  /** A message had begun but `message_stop` (or an error) never came. */
  isIncomplete(): boolean;
};

/** Follows the events of one streamed message. `sent` gives the secrets of the request, which no error may quote. */
export const createMessageStream = (sent: () => readonly Secret[]): MessageStream => {
  const usage = emptyUsage();
  let phase: Phase = "waiting";
  let usageSeen = false;
  let error: ErrorBody | null = null;
  let open = false;

  const read = (name: string, data: string): void => {
    switch (name) {
      case "message_start":
        open = true;
        usageSeen = readMessage(usage, memberOf(parseJson(data), "message")) || usageSeen;
        return;
      case "content_block_start":
        phase = phaseOf(memberOf(parseJson(data), "content_block"));
        return;
      case "message_delta":
        usageSeen = readMessageDelta(usage, parseJson(data)) || usageSeen;
        return;
      case "message_stop":
        open = false;
        return;
      case "error":
        open = false;
        error = readErrorBody(data, { sent: sent() });
    }
  };

  return {
    read: (name, data) => read(name === "" ? typeOf(data ?? "") : name, data ?? ""),
    phase: () => phase,
    usage: () => (usageSeen ? usage : null),
    error: () => error,
    isIncomplete: () => open,
  };
};

const phaseOf = (block: unknown): Phase => {
  const type = memberOf(block, "type");
  if (typeof type !== "string") return "text";
  if (type.endsWith("thinking")) return "thinking";
  return type.includes("tool_use") ? "tool" : "text";
};

const typeOf = (data: string): string => /^\s*\{\s*"type"\s*:\s*"(\w{1,64})"/.exec(data.slice(0, 200))?.[1] ?? "";

const memberOf = (value: unknown, name: string): unknown => (isObject(value) ? own(value, name) : undefined);
