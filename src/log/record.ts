// `--record`: the whole event stream as NDJSON, one record a line, for replay and for bug reports.
import type { Bus } from "../messages/bus.ts";
import { formatRecord } from "./format.ts";
import type { Redact } from "../lib/redact.ts";
import type { Lines } from "./stream-lines.ts";

/** Writes every event of `bus`, unfiltered and redacted, to `lines`; `stop` waits for what was written. */
export const startRecord = (bus: Bus, lines: Lines, redact: Redact): { stop(): Promise<void> } => {
  const unsubscribe = bus.subscribe((event) => lines.write(formatRecord(event, redact)), "the recording");
  return {
    async stop() {
      unsubscribe();
      await lines.close();
    },
  };
};
