// Which log goes where for one running proxy: lines on a stream, lines in a file, the recorded event stream.
import type { App } from "../app/app.ts";
import { createFileLines } from "../log/file-lines.ts";
import { createJsonFormat, createTextFormat } from "../log/format.ts";
import type { Format } from "../log/format.ts";
import type { LevelFilter } from "../log/level.ts";
import { startRecord } from "../log/record.ts";
import { createRedact } from "../log/redact.ts";
import { startLog } from "../log/sink.ts";
import type { Target } from "../log/sink.ts";
import { createStreamLines } from "../log/stream-lines.ts";
import type { Output } from "./world.ts";

export type LoggingWish = {
  readonly app: Pick<App, "bus" | "config" | "key">;
  /** Null while a dashboard has the terminal. */
  readonly stream: { readonly output: Output; readonly level: LevelFilter } | null;
  /** File of `--record`. */
  readonly record: string | null;
  /** Where a failing log file is reported: never the log itself. */
  readonly onFault: (message: string) => void;
};

const mebibyte = 1024 * 1024;

/** Subscribes everything; must be called before the app starts, or the first lines are missing. Throws `AppError` for a file that cannot be opened. */
export const startLogging = async ({ app, stream, record, onFault }: LoggingWish): Promise<{ stop(): Promise<void> }> => {
  const { log } = app.config;
  const redact = createRedact(() => (app.key === null ? [] : [app.key]));
  const format = (): Format => (log.format === "json" ? createJsonFormat(redact) : createTextFormat(redact));
  const targets: Target[] = [];
  if (stream !== null) targets.push({ lines: createStreamLines(stream.output), format: format(), level: stream.level });
  if (log.file !== null) {
    const lines = await createFileLines({ path: log.file, maxBytes: 10 * mebibyte, keep: 3, onFault });
    targets.push({ lines, format: format(), level: log.level });
  }
  const parts = [startLog(app.bus, targets)];
  if (record !== null) parts.push(startRecord(app.bus, await createFileLines({ path: record, maxBytes: null, keep: 0, onFault }), redact));
  return {
    async stop() {
      await Promise.all(parts.map((part) => part.stop()));
    },
  };
};
