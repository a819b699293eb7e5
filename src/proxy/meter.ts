// Reads along on a copy of the answer: phase, usage, and the upstream's own error sentence. It is fed after
// the client, may fail without being noticed by it, and keeps a bounded amount whatever comes.
import type { Phase } from "../messages/events.ts";
import { openFeed } from "./answer-feed.ts";
import { readerFor } from "./answer-reader.ts";
import type { MeteredAnswer } from "./answer-reader.ts";
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
  let settled = false;
  let faulty = false;
  let waiting: (() => void) | null = null;
  const settle = (fault: string | null): void => {
    if (settled) return;
    settled = true;
    faulty = fault !== null;
    if (fault !== null) onFault(fault);
    waiting?.();
  };
  const reader = readerFor(answer);
  const feed = reader === null ? null : openFeed(answer.table["content-encoding"], reader, settle);
  if (feed === null) settled = true;

  const guarded = (work: () => void): void => {
    if (settled) return;
    try {
      work();
    } catch {
      feed?.stop();
      settle("reader");
    }
  };

  return {
    push: (chunk) => guarded(() => feed?.push(chunk)),
    end: () => guarded(() => feed?.end()),
    stop() {
      feed?.stop();
      settle(null);
    },
    whenSettled(done) {
      if (settled) done();
      else waiting = done;
    },
    phase: () => reader?.phase() ?? "body",
    usage: () => reader?.usage() ?? null,
    error: () => reader?.error() ?? null,
    isIncomplete: () => !faulty && reader?.isIncomplete() === true,
  };
};
