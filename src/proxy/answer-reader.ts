// What is read from an answer, by its status and media type. Works on decoded bytes, keeps a bounded
// amount of them, and may throw: the meter around it catches.
import { announcedLength } from "../http/answer-head.ts";
import { valueOf } from "../http/fields.ts";
import type { RawFields } from "../http/fields.ts";
import { isEventStream, mediaTypeOf } from "../lib/http-fields.ts";
import type { Secret } from "../lib/secret.ts";
import type { Phase } from "../messages/events.ts";
import { isKey, visitMembers } from "./json-member.ts";
import { createMessageStream } from "./message-stream.ts";
import { createStreamScan } from "./stream-scan.ts";
import { readUpstreamError } from "./upstream-error.ts";
import type { UpstreamError } from "./upstream-error.ts";
import { emptyUsage, readMessage } from "./usage.ts";
import type { Usage } from "./usage.ts";

export type MeteredAnswer = {
  readonly status: number;
  readonly raw: RawFields;
  /** That was asked, without its query. */
  readonly path: string;
  /** The secrets that went with the request; asked for only when the answer is an error. */
  readonly sent?: () => readonly Secret[];
};

export type AnswerReader = {
  read(chunk: Buffer): void;
  end(): void;
  phase(): Phase;
  /** Null until the answer held one. */
  usage(): Usage | null;
  error(): UpstreamError | null;
  /** A stream that ended without `message_stop`. */
  isIncomplete(): boolean;
};

const longestError = 64 * 1024;
const longestMessage = 1024 * 1024;
/** Up to here the engine's own parser is faster than a walk past what is not wanted (at 4 KB it takes 6.3 µs and the walk 4.6). */
const shortMessage = 2 * 1024;

/** Null when there is nothing to learn from this answer. */
export const readerFor = ({ status, raw, path, sent = nobodys }: MeteredAnswer): AnswerReader | null => {
  if (status >= 400) return createErrorReader(sent);
  const contentType = valueOf(raw, "content-type");
  if (isEventStream(contentType)) return createEventReader(sent);
  return mediaTypeOf(contentType) === "application/json" && path === "/v1/messages" && !isTooLong(raw) ? new MessageReader() : null;
};

// What cannot be read in the end is not kept for it until then.
const isTooLong = (raw: RawFields): boolean => (announcedLength(raw) ?? 0) > longestMessage;

const nobodys = (): readonly Secret[] => [];

const createEventReader = (sent: () => readonly Secret[]): AnswerReader => {
  const usage = emptyUsage();
  const message = createMessageStream(usage, sent);
  const scan = createStreamScan(message.read);
  return {
    read: scan.push,
    end() {},
    phase: message.phase,
    usage: () => (message.usageSeen() ? usage : null),
    error: message.error,
    isIncomplete: message.isIncomplete,
  };
};

// The everyday answer: an object of a class, without a closure for each function, and read only when somebody
// wants to know, which is after the client has it.
class MessageReader implements AnswerReader {
  private readonly text = new Collector(longestMessage);
  private ended = false;
  private known: Usage | null | undefined = undefined;

  read(chunk: Buffer): void {
    this.text.keep(chunk);
  }

  end(): void {
    this.ended = true;
  }

  phase(): Phase {
    return "body";
  }

  usage(): Usage | null {
    if (!this.ended) return null;
    if (this.known === undefined) this.known = usageIn(this.text.take());
    return this.known;
  }

  error(): null {
    return null;
  }

  isIncomplete(): boolean {
    return false;
  }
}

const usageIn = (body: Buffer): Usage | null => {
  const usage = emptyUsage();
  return readMessage(usage, body.length <= shortMessage ? parsed(body) : accounted(body)) ? usage : null;
};

const parsed = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return accounted(body);
  }
};

// Only the members that say what it cost: building the whole of a long answer costs more than relaying it.
const accounted = (body: Buffer): unknown => {
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
  const text = new Collector(longestError);
  let error: UpstreamError | null = null;
  return {
    read: (chunk) => text.keep(chunk),
    end() {
      error = readUpstreamError(text.take().toString("utf8"), sent());
    },
    phase: () => "body",
    usage: () => null,
    error: () => error,
    isIncomplete: () => false,
  };
};

/** A body that is kept as a whole. Beyond the limit it cannot be read and is given up, as an empty one. */
class Collector {
  private readonly limit: number;
  private parts: Buffer[] = [];
  private bytes = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  keep(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.bytes > this.limit) this.parts = [];
    else this.parts.push(chunk);
  }

  take(): Buffer {
    const only = this.parts.length === 1 ? this.parts[0] : undefined;
    return only ?? Buffer.concat(this.parts);
  }
}
