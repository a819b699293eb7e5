// What follows the bus and writes: the log, filtered by level and formatted, and the recording. Each owns its lines.
import type { Redact } from "../lib/redact.ts";
import type { Bus } from "../messages/bus.ts";
import type { Event } from "../messages/events.ts";
import { formatRecord } from "./format.ts";
import type { Format } from "./format.ts";
import { levelOf, passesLevel } from "./level.ts";
import type { LevelFilter } from "./level.ts";
import type { Lines } from "./stream-lines.ts";

/** One place for lines with its own least level and its own format (a format remembers requests). */
export type Target = { readonly lines: Lines; readonly format: Format; readonly level: LevelFilter };

export type Log = {
  /** Writes out what came so far: for the last moment of a process. */
  flush(): void;
  /** Listens no longer, and waits for what was written. */
  stop(): Promise<void>;
};

/** Writes every event of `bus` to every target. */
export const startLog = (bus: Bus, targets: readonly Target[]): Log => {
  const unsubscribes = targets.map((target) => bus.subscribe((event) => writeTo(target, event), "the log"));
  return {
    flush() {
      bus.flush();
      for (const { lines } of targets) lines.flush();
    },
    async stop() {
      for (const unsubscribe of unsubscribes) unsubscribe();
      await Promise.all(targets.map(({ lines }) => lines.close()));
    },
  };
};

// A proxy under load publishes seven events for each line of its log.
const writeTo = ({ lines, format, level }: Target, event: Event): void => {
  if (passesLevel(levelOf(event), level)) lines.write(format(event));
  else format.see?.(event);
};

/** `--record`: writes every event of `bus`, unfiltered and redacted, as NDJSON to `lines`; `stop` waits for what was written. */
export const startRecording = (bus: Bus, lines: Lines, redact: Redact): { stop(): Promise<void> } => {
  const unsubscribe = bus.subscribe((event) => lines.write(formatRecord(event, redact)), "the recording");
  return {
    async stop() {
      unsubscribe();
      await lines.close();
    },
  };
};
