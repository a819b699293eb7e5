// Typing and pastes are distinguished by time. Without bracketed paste a terminal delivers a paste in pieces (measured
// through tmux: 5,000 characters as 2,048 + 2,952, 70 kB as about 17), some over SSH byte by byte; what comes
// within 60 ms of the last piece belongs to it.
import type { Clock, Timer } from "../../lib/clock.ts";

/** Text that came together. `pasted`: longer than fingers type in that time. */
export type Burst = { readonly text: string; readonly pasted: boolean };

export type BurstJoiner = {
  push(fragment: string): void;
  /** A whole paste that came in brackets: no need to wait. */
  paste(text: string): void;
  /** Gives out what waits, now. */
  flush(): void;
  /** Forgets it; true when there was something. */
  drop(): boolean;
};

const gapMs = 60;
/** Fast fingers put a few letters into one gap; no code is this short. */
const shortestPaste = 8;
/** Far more than any code; the rest is not kept. */
const longest = 1_048_576;

/** Calls `onBurst` with each burst. */
export const createBurstJoiner = (clock: Clock, onBurst: (burst: Burst) => void): BurstJoiner => {
  let waiting = "";
  let timer: Timer | null = null;
  const take = (): string => {
    timer?.cancel();
    timer = null;
    const text = waiting;
    waiting = "";
    return text;
  };
  const flush = (): void => {
    const text = take();
    if (text !== "") onBurst({ text, pasted: text.length >= shortestPaste });
  };
  return {
    push(fragment) {
      if (waiting.length < longest) waiting += fragment.slice(0, longest);
      timer?.cancel();
      timer = clock.setTimeout(flush, gapMs);
    },
    paste: (text) => onBurst({ text: take() + text.slice(0, longest), pasted: true }),
    flush,
    drop: () => take() !== "",
  };
};
