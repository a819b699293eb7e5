// Which log goes where for one running proxy: lines on a stream, lines in a file, the recorded event stream.
import type { EventEmitter } from "node:events";
import type { Config } from "../config/schema.ts";
import { createRedact } from "../lib/redact.ts";
import { createFileLines } from "../log/file-lines.ts";
import { createJsonFormat, createTextFormat } from "../log/format.ts";
import type { Format } from "../log/format.ts";
import type { LevelFilter } from "../log/level.ts";
import { startLog, startRecording } from "../log/log.ts";
import type { Target } from "../log/log.ts";
import { createStreamLines } from "../log/stream-lines.ts";
import type { Bus } from "../messages/bus.ts";
import type { Output } from "./context.ts";

export type LoggingOptions = {
  readonly bus: Bus;
  /** Emits `exit` at the end of the process, by which every line must have left. */
  readonly process: Pick<EventEmitter, "once" | "off">;
  readonly log: Config["log"];
  /** Null while a dashboard has the terminal. */
  readonly stream: { readonly output: Output; readonly level: LevelFilter } | null;
  /** As in `CliContext`. */
  readonly uid: number | null;
  /** File of `--record`. */
  readonly record: string | null;
  /** Where a failing log file is reported: never to the log itself. */
  readonly onFault: (message: string) => void;
};

const mebibyte = 1024 * 1024;

export type Logging = {
  /** Resolves when everything written so far has left, or two seconds have passed. */
  stop(): Promise<void>;
};

/** Subscribes everything; called before the app is made, or its first lines are missing. Throws `AppError` for a file that cannot be opened. */
export const startLogging = async ({ bus, process, log, stream, uid, record, onFault }: LoggingOptions): Promise<Logging> => {
  const redact = createRedact();
  const format = (): Format => (log.format === "json" ? createJsonFormat(redact) : createTextFormat(redact));
  const targets: Target[] = [];
  if (stream !== null) targets.push({ lines: createStreamLines(stream.output), format: format(), level: stream.level });
  const file = log.file === null ? null : await createFileLines({ path: log.file, uid, maxBytes: 10 * mebibyte, keep: 3, onFault });
  // Before the first line is written anywhere: a file that is refused ends the start.
  const recording = record === null ? null : await createFileLines({ path: record, uid, maxBytes: null, keep: 0, onFault });
  if (file !== null) targets.push({ lines: file, format: format(), level: log.level });
  const written = startLog(bus, targets);
  process.once("exit", written.flush);
  const parts: { stop(): Promise<void> }[] = [written];
  if (recording !== null) parts.push(startRecording(bus, recording, redact));
  return {
    async stop() {
      await Promise.race([Promise.all(parts.map((part) => part.stop())), patience()]);
      process.off("exit", written.flush);
    },
  };
};

// A reader that has stopped reading must not keep the process from ending.
const patience = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 2000).unref());
