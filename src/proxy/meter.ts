// Reads along on a copy of the answer: phase, usage, and the upstream's own error sentence. It is fed after
// the client, may fail without being noticed by it, and keeps a bounded amount whatever comes.
import { valuesOf } from "../http/fields.ts";
import type { Phase } from "../messages/events.ts";
import { openFeed } from "./answer-feed.ts";
import { readerFor } from "./answer-reader.ts";
import type { AnswerReader, MeteredAnswer } from "./answer-reader.ts";
import type { UpstreamError } from "./upstream-error.ts";
import type { Usage } from "./usage.ts";

export type Meter = {
  push(chunk: Buffer): void;
  /** The answer is complete; what was read may settle later when it was compressed. */
  end(): void;
  /** Gives up; what was read so far stays. */
  stop(): void;
  /** Calls back once, at once or when nothing more will be read. */
  whenSettled(done: () => void): void;
  phase(): Phase;
  /** Null until the answer held one. */
  usage(): Usage | null;
  error(): UpstreamError | null;
  /** A stream that ended without `message_stop`, as far as it could be read. */
  isIncomplete(): boolean;
};

/** `onFault` is called at most once, with a code and never with content, when reading had to be given up. */
export const createMeter = (answer: MeteredAnswer, onFault: (reason: string) => void): Meter => {
  const reader = readerFor(answer);
  if (reader === null) return deafMeter;
  const encoding = valuesOf(answer.raw, "content-encoding").join(",");
  return encoding === "" || encoding === "identity" ? new DirectMeter(reader, onFault) : decodingMeter(reader, encoding, onFault);
};

const callNow = (done: () => void): void => done();
const nothing = (): null => null;
const ignore = (): void => {};

/** For answers from which there is nothing to learn. */
const deafMeter: Meter = { push: ignore, end: ignore, stop: ignore, whenSettled: callNow, phase: () => "body", usage: nothing, error: nothing, isIncomplete: () => false };

// Nearly every answer takes this way, and there is never anything to wait for: an object of a class, without a
// closure for each function.
class DirectMeter implements Meter {
  private readonly reader: AnswerReader;
  private readonly onFault: (reason: string) => void;
  private faulty = false;

  constructor(reader: AnswerReader, onFault: (reason: string) => void) {
    this.reader = reader;
    this.onFault = onFault;
  }

  push(chunk: Buffer): void {
    if (this.faulty) return;
    try {
      this.reader.read(chunk);
    } catch {
      this.giveUp();
    }
  }

  end(): void {
    if (this.faulty) return;
    try {
      this.reader.end();
    } catch {
      this.giveUp();
    }
  }

  stop(): void {}

  whenSettled(done: () => void): void {
    done();
  }

  phase(): Phase {
    return this.reader.phase();
  }

  usage(): Usage | null {
    return usageOf(this.reader, () => this.giveUp());
  }

  error(): UpstreamError | null {
    return this.reader.error();
  }

  isIncomplete(): boolean {
    return !this.faulty && this.reader.isIncomplete();
  }

  private giveUp(): void {
    if (!this.faulty) this.onFault("reader");
    this.faulty = true;
  }
}

// The reader may put its work off until it is asked.
const usageOf = (reader: AnswerReader, giveUp: () => void): Usage | null => {
  try {
    return reader.usage();
  } catch {
    giveUp();
    return null;
  }
};

const decodingMeter = (reader: AnswerReader, encoding: string, onFault: (reason: string) => void): Meter => {
  let settled = false;
  let faulty = false;
  let waiting: (() => void) | null = null;
  const feed = openFeed(encoding, reader, (fault) => {
    if (settled) return;
    settled = true;
    faulty = fault !== null;
    if (fault !== null) onFault(fault);
    waiting?.();
  });
  if (feed === null) return deafMeter;
  const giveUp = (): void => {
    if (!faulty) onFault("reader");
    faulty = true;
  };
  return {
    push(chunk) {
      if (!settled) feed.push(chunk);
    },
    end() {
      if (!settled) feed.end();
    },
    stop: feed.stop,
    whenSettled(done) {
      if (settled) done();
      else waiting = done;
    },
    phase: () => reader.phase(),
    usage: () => usageOf(reader, giveUp),
    error: () => reader.error(),
    isIncomplete: () => !faulty && reader.isIncomplete(),
  };
};
