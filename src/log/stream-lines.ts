// Lines to stdout or stderr that can neither stall nor kill the proxy: a reader that is too slow loses
// lines (and learns how many), a reader that has gone is forgotten.

/** The part of a writable stream that is used. */
export type LineStream = {
  write(text: string): boolean;
  readonly writableLength: number;
  on(name: "drain" | "error" | "close", listener: (error?: unknown) => void): unknown;
};

export type Lines = {
  /** One line without its line feed; never throws and never waits. */
  write(line: string): void;
  /** Writes out what is gathered: for the last moment of a process, when `close` is not waited for. */
  flush(): void;
  /** Resolves when everything written so far has left, or never can. */
  close(): Promise<void>;
};

/** Bytes that may wait in the stream: about ten thousand lines. */
const mostWaiting = 1024 * 1024;

/**
 * Lines to `stream`, which stays open. An error of the stream (EPIPE, EIO) ends the writing, not the process.
 * The lines of one turn of the event loop go out together: to a file every write is a system call that blocks the
 * loop (70 µs for each request when each wrote its own).
 */
export const createStreamLines = (stream: LineStream): Lines => {
  let gone = false;
  let lost = 0;
  let gathered = "";
  stream.on("error", () => {
    gone = true;
  });
  stream.on("close", () => {
    gone = true;
  });
  const flush = (): void => {
    const text = gathered;
    gathered = "";
    if (text === "" || gone) return;
    try {
      stream.write(text);
    } catch {
      gone = true;
    }
  };
  const gather = (line: string): void => {
    if (gathered === "") setImmediate(flush);
    gathered += `${line}\n`;
  };
  const isFull = (): boolean => stream.writableLength + gathered.length > mostWaiting;
  const confess = (): void => {
    if (lost === 0 || gone || isFull()) return;
    gather(`(${lost} log lines left out: the reader was too slow)`);
    lost = 0;
  };
  stream.on("drain", confess);
  return {
    write(line) {
      if (gone) return;
      confess();
      if (isFull()) lost += 1;
      else gather(line);
    },
    flush,
    close() {
      flush();
      return drained(stream, () => gone);
    },
  };
};

// A reader that has stopped reading must not keep the process: the caller decides how long to wait.
const drained = (stream: LineStream, isGone: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    const look = (): void => {
      if (isGone() || stream.writableLength === 0) resolve();
    };
    stream.on("drain", look);
    stream.on("error", () => resolve());
    stream.on("close", () => resolve());
    look();
  });
