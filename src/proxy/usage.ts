// What an answer of the Messages API cost, read from its JSON or from its stream's events. Pure, on parsed
// values from outside: whatever is missing or odd keeps the value that was known before.
import { visibleText } from "../lib/visible-text.ts";

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

/** Reads a message object: a whole JSON answer, or `message` of a `message_start` event. True when it held a usage. */
export const readMessage = (usage: Usage, message: unknown): boolean => {
  const fields = record(message);
  if (fields === null) return false;
  usage.model = word(fields["model"]) ?? usage.model;
  usage.stopReason = word(fields["stop_reason"]) ?? usage.stopReason;
  return readCounts(usage, fields["usage"]);
};

/** Reads a `message_delta` event. Its counts are cumulative: they replace, and are never added (streaming docs). */
export const readMessageDelta = (usage: Usage, event: unknown): boolean => {
  const fields = record(event);
  if (fields === null) return false;
  usage.stopReason = word(record(fields["delta"])?.["stop_reason"]) ?? usage.stopReason;
  return readCounts(usage, fields["usage"]);
};

const readCounts = (usage: Usage, counts: unknown): boolean => {
  const fields = record(counts);
  if (fields === null) return false;
  usage.inputTokens = count(fields["input_tokens"]) ?? usage.inputTokens;
  usage.outputTokens = count(fields["output_tokens"]) ?? usage.outputTokens;
  usage.cacheReadTokens = count(fields["cache_read_input_tokens"]) ?? usage.cacheReadTokens;
  usage.cacheCreationTokens = count(fields["cache_creation_input_tokens"]) ?? usage.cacheCreationTokens;
  return true;
};

const record = (value: unknown): Readonly<Record<string, unknown>> | null =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : null;

const word = (value: unknown): string | null => (typeof value === "string" && value !== "" ? visibleText(value, 100) : null);

const count = (value: unknown): number | null => (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null);
