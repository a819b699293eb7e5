// Follows the events of one streamed message: what it is doing, what it has cost, whether it was whole.
// Unknown events and unknown delta types are tolerated, as the streaming documentation asks.
import type { Secret } from "../lib/secret.ts";
import type { Phase } from "../messages/events.ts";
import { readUpstreamError } from "./upstream-error.ts";
import type { UpstreamError } from "./upstream-error.ts";
import { readMessage, readMessageDelta } from "./usage.ts";
import type { Usage } from "./usage.ts";

export type MessageStream = {
  /** One scanned event; `data` null when it was too long to keep. */
  read(name: string, data: string | null): void;
  phase(): Phase;
  /** Raised by `message_start` and `message_delta`. */
  usageSeen(): boolean;
  /** The error event of a stream that had begun with status 200. */
  error(): UpstreamError | null;
  /** A message had begun but `message_stop` (or an error) never came. */
  isIncomplete(): boolean;
};

/** Writes what it learns into `usage`; `sent` gives the secrets of the request, which no error may quote. */
export const createMessageStream = (usage: Usage, sent: () => readonly Secret[] = () => []): MessageStream => {
  let phase: Phase = "waiting";
  let usageSeen = false;
  let error: UpstreamError | null = null;
  let open = false;

  const read = (name: string, data: string): void => {
    switch (name) {
      case "message_start":
        open = true;
        usageSeen = readMessage(usage, memberOf(parse(data), "message")) || usageSeen;
        return;
      case "content_block_start":
        phase = phaseOf(memberOf(parse(data), "content_block"));
        return;
      case "message_delta":
        usageSeen = readMessageDelta(usage, parse(data)) || usageSeen;
        return;
      case "message_stop":
        open = false;
        return;
      case "error":
        open = false;
        error = readUpstreamError(data, sent());
    }
  };

  return {
    read: (name, data) => read(name === "" ? typeOf(data ?? "") : name, data ?? ""),
    phase: () => phase,
    usageSeen: () => usageSeen,
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

const parse = (data: string): unknown => {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
};

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : null;
