// Where log lines go: filtered by level, formatted, written. Subscribes to the bus and owns its files.
import type { Bus } from "../messages/bus.ts";
import type { Event } from "../messages/events.ts";
import type { Format } from "./format.ts";
import { levelOf, passesLevel } from "./level.ts";
import type { LevelFilter } from "./level.ts";
import type { Lines } from "./stream-lines.ts";

/** One place for lines with its own least level and its own format (a format remembers requests). */
export type Target = { readonly lines: Lines; readonly format: Format; readonly level: LevelFilter };

/** Writes every event of `bus` to every target; `stop` unsubscribes and waits for what was written. */
export const startLog = (bus: Bus, targets: readonly Target[]): { stop(): Promise<void> } => {
  const unsubscribe = bus.subscribe((event) => {
    for (const target of targets) writeTo(target, event);
  });
  return {
    async stop() {
      unsubscribe();
      await Promise.all(targets.map(({ lines }) => lines.close()));
    },
  };
};

// A proxy under load publishes seven events for each line of its log.
const writeTo = ({ lines, format, level }: Target, event: Event): void => {
  if (passesLevel(levelOf(event), level)) lines.write(format(event));
  else format.see?.(event);
};
