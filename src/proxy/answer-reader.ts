// What is read from an answer, by its status and media type. Works on decoded bytes, keeps a bounded amount of them,
// and may throw: the meter around it catches.
import { readErrorBody } from "../lib/error-body.ts";
import type { ErrorBody } from "../lib/error-body.ts";
import { isObject, parseJson } from "../lib/json.ts";
import { isEventStream, mediaTypeOf, valueOf } from "../lib/http-fields.ts";
import type { RawHeaders } from "../lib/http-fields.ts";
import type { Secret } from "../lib/secret.ts";
import type { Phase } from "../messages/events.ts";
import { isKey, visitMembers } from "./json-member.ts";
import { createStreamScan } from "./stream-scan.ts";
import { createMessageStream, emptyUsage, readMessage } from "./usage.ts";
import type { Usage } from "./usage.ts";

export type MeteredAnswer = {
  readonly status: number;
  readonly headers: RawHeaders;
  /** The path that was asked for, without its query. */
  readonly path: string;
  /** The secrets that went with the request; called only when the answer is an error. */
  readonly sent?: () => readonly Secret[];
};

export type AnswerReader = {
  read(chunk: Buffer): void;
  end(): void;
  phase(): Phase;
  /** Null until the answer held one. */
  usage(): Usage | null;
  error(): ErrorBody | null;
  /** A stream that ended without `message_stop`. */
  isIncomplete(): boolean;
};

const longestError = 64 * 1024;
const longestMessage = 1024 * 1024;
/** Up to here the engine's own parser is faster than a walk past what is not wanted (at 4 KB it takes 6.3 µs and the walk 4.6). */
const shortMessage = 2 * 1024;

/** Null when there is nothing to learn from this answer. */
export const readerFor = ({ status, headers, path, sent = noSecrets }: MeteredAnswer): AnswerReader | null => {
  if (status >= 400) return createErrorReader(sent);
  const contentType = valueOf(headers, "content-type");
  if (isEventStream(contentType)) return createEventReader(sent);
  // What cannot be read in the end is not kept until then.
  const isTooLong = Number(valueOf(headers, "content-length") ?? 0) > longestMessage;
  return mediaTypeOf(contentType) === "application/json" && path === "/v1/messages" && !isTooLong ? createMessageReader() : null;
};

const noSecrets = (): readonly Secret[] => [];

const createEventReader = (sent: () => readonly Secret[]): AnswerReader => {
  const message = createMessageStream(sent);
  return { ...message, read: createStreamScan(message.read).push, end() {} };
};

/** A whole message is read only when its usage is asked for, which is after the client has it. */
const createMessageReader = (): AnswerReader => {
  const text = createCollector(longestMessage);
  let ended = false;
  let known: Usage | null | undefined;
  return {
    read: text.keep,
    end() {
      ended = true;
    },
    phase: () => "body",
    usage() {
      if (!ended) return null;
      if (known === undefined) known = usageIn(text.take());
      return known;
    },
    error: () => null,
    isIncomplete: () => false,
  };
};

const usageIn = (body: Buffer): Usage | null => {
  const usage = emptyUsage();
  const whole = body.length <= shortMessage ? parseJson(body.toString("utf8")) : undefined;
  return readMessage(usage, isObject(whole) ? whole : membersOf(body)) ? usage : null;
};

// Only the members that say what it cost: building the whole of a long answer costs more than relaying it.
const membersOf = (body: Buffer): unknown => {
  const found: { [Name in (typeof names)[number]]?: unknown } = {};
  visitMembers(body, (keyStart, keyEnd, start, end) => {
    for (const name of names) {
      if (body[keyStart + 1] !== name.charCodeAt(0) || !isKey(body, keyStart, keyEnd, name)) continue;
      found[name] = JSON.parse(body.toString("utf8", start, end));
    }
  });
  return found;
};

const names = ["model", "stop_reason", "usage"] as const;

const createErrorReader = (sent: () => readonly Secret[]): AnswerReader => {
  const text = createCollector(longestError);
  let error: ErrorBody | null = null;
  return {
    read: text.keep,
    end() {
      error = readErrorBody(text.take().toString("utf8"), { sent: sent() });
    },
    phase: () => "body",
    usage: () => null,
    error: () => error,
    isIncomplete: () => false,
  };
};

/** A body that is kept as a whole. Beyond the limit it cannot be read, and what came is dropped. */
const createCollector = (limit: number) => {
  let parts: Buffer[] = [];
  let bytes = 0;
  return {
    keep(chunk: Buffer): void {
      bytes += chunk.length;
      if (bytes > limit) parts = [];
      else parts.push(chunk);
    },
    take: (): Buffer => (parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)),
  };
};
