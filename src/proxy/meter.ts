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
  const direct = new DirectMeter(reader, onFault);
  if (encoding === "" || encoding === "identity") return direct;
  const decoder = decoderFor(encoding);
  return decoder === null ? noMeter : decodingMeter(decoder, direct);
};

/** For answers from which there is nothing to learn. */
const noMeter: Meter = { push() {}, end() {}, stop() {}, finished: () => undefined, phase: () => "body", usage: () => null, error: () => null, isIncomplete: () => false };

/** Reads what it is fed. The first failure is reported and ends the reading. */
class DirectMeter implements Meter {
  failed = false;
  private readonly reader: AnswerReader;
  private readonly onFault: (reason: string) => void;

  constructor(reader: AnswerReader, onFault: (reason: string) => void) {
    this.reader = reader;
    this.onFault = onFault;
  }

  push(chunk: Buffer): void {
    if (this.failed) return;
    try {
      this.reader.read(chunk);
    } catch {
      this.fail("reader");
    }
  }

  end(): void {
    if (this.failed) return;
    try {
      this.reader.end();
    } catch {
      this.fail("reader");
    }
  }

  stop(): void {}

  finished(): undefined {
    return undefined;
  }

  phase(): Phase {
    return this.reader.phase();
  }

  /** A reader may put its work off until it is asked. */
  usage(): Usage | null {
    try {
      return this.reader.usage();
    } catch {
      this.fail("reader");
      return null;
    }
  }

  error(): ErrorBody | null {
    return this.reader.error();
  }

  isIncomplete(): boolean {
    return !this.failed && this.reader.isIncomplete();
  }

  fail(reason: string): void {
    if (!this.failed) this.onFault(reason);
    this.failed = true;
  }
}

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

const decodingMeter = (decoder: Transform, decoded: DirectMeter): Meter => {
  const closed = Promise.withResolvers<void>();
  let open = true;
  let bytes = 0;
  const giveUp = (reason: string): void => {
    decoded.fail(reason);
    decoder.destroy();
  };
  decoder.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > mostDecoded) giveUp("too-much");
    else decoded.push(chunk);
    if (decoded.failed) decoder.destroy();
  });
  decoder.once("end", () => decoded.end());
  decoder.on("error", () => decoded.fail("encoding"));
  decoder.once("close", () => {
    open = false;
    closed.resolve();
  });
  return {
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
    phase: () => decoded.phase(),
    usage: () => decoded.usage(),
    error: () => decoded.error(),
    isIncomplete: () => decoded.isIncomplete(),
  };
};
