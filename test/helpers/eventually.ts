// Waiting for a state with a deadline. A test never sleeps for a guessed time: it asks again until the
// answer fits, and when it never does, the failure shows what was seen last.
import { inspect } from "node:util";

export type Patience = {
  /** Milliseconds until the test fails (default 10,000). */
  readonly within?: number;
  /** Named in the failure: what the test was waiting for. */
  readonly what?: string;
};

const pauseMs = 15;

/** Resolves to the first value of `read` for which `holds` is true; throws with the last one otherwise. */
export const eventually = async <T>(
  read: () => T | Promise<T>,
  holds: (seen: T) => boolean,
  { within = 10_000, what = "the state asked for" }: Patience = {},
): Promise<T> => {
  const deadline = performance.now() + within;
  for (;;) {
    const seen = await read();
    if (holds(seen)) return seen;
    if (performance.now() >= deadline) throw new Error(`waited ${within} ms for ${what}; the last seen was:\n${shown(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
};

const shown = (seen: unknown): string => (typeof seen === "string" ? seen : inspect(seen, { depth: 6, maxStringLength: 20_000 }));
