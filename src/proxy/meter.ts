// Reads along on a copy of the answer: phase, usage, and the upstream's own error sentence. It is fed after the client,
// may fail without being noticed by it, and keeps a bounded amount whatever comes. A compressed answer is decompressed
// behind the client's back: backlog and output are bounded, and a failure ends the reading and nothing else.
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import type { Transform } from "node:stream";
import type { ErrorBody } from "../lib/error-body.ts";
import { valuesOf } from "../lib/http-fields.ts";
import type { Phase } from "../messages/events.ts";
import { readerFor } from "./answer-reader.ts";
import type { AnswerReader, MeteredAnswer } from "./answer-reader.ts";
import type { Usage } from "./usage.ts";

export type Meter = {
  push(chunk: Buffer): void;
  /** The answer is complete. */
  end(): void;
  /** Gives up; what was read so far stays. */
  stop(): void;
  /** Undefined when everything was read, else a promise for it: decompression takes its time. */
  finished(): Promise<void> | undefined;
  phase(): Phase;
  /** Null until the answer held one. */
  usage(): Usage | null;
  error(): ErrorBody | null;
  /** A stream that ended without `message_stop`, as far as it could be read. */
  isIncomplete(): boolean;
};

const longestBacklog = 1024 * 1024;
const mostDecoded = 64 * 1024 * 1024;

/** `onFault` is called at most once, with a code and never with content, when reading had to be given up. */
export const createMeter = (answer: MeteredAnswer, onFault: (reason: string) => void): Meter => {
  const reader = readerFor(answer);
  if (reader === null) return noMeter;
  const encoding = valuesOf(answer.headers, "content-encoding").join(",").trim().toLowerCase();
  if (encoding === "" || encoding === "identity") return meterOf(createGuard(reader, onFault));
  const decoder = decoderFor(encoding);
  return decoder === null ? noMeter : decodingMeter(decoder, createGuard(reader, onFault));
};

/** For answers from which there is nothing to learn. */
const noMeter: Meter = { push() {}, end() {}, stop() {}, finished: () => undefined, phase: () => "body", usage: () => null, error: () => null, isIncomplete: () => false };

/** The reader behind a guard: its first failure is reported and ends the reading. */
type Guard = AnswerReader & { fail(reason: string): void; failed(): boolean };

const createGuard = (reader: AnswerReader, onFault: (reason: string) => void): Guard => {
  let failed = false;
  const fail = (reason: string): void => {
    if (!failed) onFault(reason);
    failed = true;
  };
  const attempt = <T>(work: () => T, otherwise: T): T => {
    try {
      return work();
    } catch {
      fail("reader");
      return otherwise;
    }
  };
  return {
    read(chunk) {
      if (!failed) attempt(() => reader.read(chunk), undefined);
    },
    end() {
      if (!failed) attempt(() => reader.end(), undefined);
    },
    phase: () => reader.phase(),
    // A reader may put its work off until it is asked.
    usage: () => attempt(() => reader.usage(), null),
    error: () => reader.error(),
    isIncomplete: () => !failed && reader.isIncomplete(),
    fail,
    failed: () => failed,
  };
};

const meterOf = (guard: Guard): Meter => ({
  push: guard.read,
  end: guard.end,
  stop() {},
  finished: () => undefined,
  phase: guard.phase,
  usage: guard.usage,
  error: guard.error,
  isIncomplete: guard.isIncomplete,
});

/** Null when the coding is not known here, or when there are several, one over the other. */
const decoderFor = (encoding: string): Transform | null => {
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress();
    case "zstd":
      return createZstdDecompress();
    default:
      return null;
  }
};

const decodingMeter = (decoder: Transform, guard: Guard): Meter => {
  const closed = Promise.withResolvers<void>();
  let open = true;
  let decoded = 0;
  const giveUp = (reason: string): void => {
    guard.fail(reason);
    decoder.destroy();
  };
  decoder.on("data", (chunk: Buffer) => {
    decoded += chunk.length;
    if (decoded > mostDecoded) giveUp("too-much");
    else guard.read(chunk);
    if (guard.failed()) decoder.destroy();
  });
  decoder.once("end", guard.end);
  decoder.on("error", () => guard.fail("encoding"));
  decoder.once("close", () => {
    open = false;
    closed.resolve();
  });
  return {
    ...meterOf(guard),
    push(chunk) {
      if (decoder.destroyed) return;
      if (decoder.writableLength > longestBacklog) giveUp("too-fast");
      else decoder.write(chunk);
    },
    end() {
      if (!decoder.destroyed) decoder.end();
    },
    stop: () => void decoder.destroy(),
    finished: () => (open ? closed.promise : undefined),
  };
};
