// The client's body on its way up. Small ones are collected first (one write, a known length, and an upload that
// breaks off never reaches the upstream); larger ones are streamed, with a bounded copy kept for as long as the
// request may have to be sent again. Bytes are never changed here.
import { Readable } from "node:stream";
import type { IncomingMessage } from "node:http";

export type RequestBody = {
  /** Bytes received from the client so far. */
  bytesIn(): number;
  /** The beginning that is at hand, for a glance. */
  head(): Buffer | null;
  /** The whole body when it was collected, null when it is streamed or absent. */
  whole(): Buffer | null;
  /** What one attempt sends, from the first byte on; ends the reading of an earlier one. */
  open(): Buffer | Readable | null;
  /** Content-Length to send with a stream; null means chunked (a collected body brings its own). */
  streamLength(): number | null;
  /** Can `open` be called (again)? */
  isReplayable(): boolean;
  /** No further attempt will come: drops the copy. */
  release(): void;
  /** The request is over: whatever the client still sends is read and thrown away. */
  close(): void;
};

export type BodyLimits = {
  readonly maxBytes: number;
  /** Collect whatever comes, because the body has to be looked into. */
  readonly collectAll: boolean;
};

/** What happens on the way; all of it may come after the body was opened. */
export type BodyEvents = {
  /** More than `maxBytes` were announced or came. */
  readonly onTooLarge: () => void;
  /** The upload moves on. */
  readonly onProgress: () => void;
};

/** Bodies of up to this announced length come in one read: collected they cost one write. Larger ones flow faster than they are gathered. */
const collectBytes = 48 * 1024;

/** A copy is kept up to here; larger bodies cannot be sent a second time. */
export const replayBytes = 4 * 1024 * 1024;

/** The body as the first attempt needs it: at once for a stream or no body, else when all of it is here. Never settles after `onTooLarge`, or when the client breaks off. */
export const openRequestBody = (request: IncomingMessage, limits: BodyLimits, events: BodyEvents): RequestBody | Promise<RequestBody> => {
  const length = announcedLength(request);
  if (length === 0) return emptyBody;
  if (length !== null && length > limits.maxBytes) {
    events.onTooLarge();
    return new Promise<RequestBody>(() => {});
  }
  if (limits.collectAll || (length !== null && length <= collectBytes)) return collect(request, limits.maxBytes, events);
  return new StreamedBody(request, { length, maxBytes: limits.maxBytes }, events);
};

// Zero also for a request without a body; null for one whose end is marked by its coding.
const announcedLength = ({ headers }: IncomingMessage): number | null =>
  headers["transfer-encoding"] === undefined ? Number(headers["content-length"] ?? 0) : null;

/** No body, or none yet. */
export const emptyBody: RequestBody = {
  bytesIn: () => 0,
  head: () => null,
  whole: () => null,
  open: () => null,
  streamLength: () => null,
  isReplayable: () => true,
  release() {},
  close() {},
};

const collect = (request: IncomingMessage, maxBytes: number, events: BodyEvents): Promise<RequestBody> =>
  new Promise((resolve) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      parts.push(chunk);
      if (bytes <= maxBytes) return;
      parts.length = 0;
      request.off("data", onData).off("end", onEnd).resume();
      events.onTooLarge();
    };
    const onEnd = (): void => resolve(wholeBody(parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)));
    request.on("data", onData).on("end", onEnd);
  });

/** A body that is at hand; also what a mapped model leaves. `received` is the number of bytes that the client sent. */
export const wholeBody = (content: Buffer, received = content.length): RequestBody => new WholeBody(content, received);

class WholeBody implements RequestBody {
  private readonly received: number;
  private kept: Buffer | null;

  constructor(content: Buffer, received: number) {
    this.kept = content;
    this.received = received;
  }

  bytesIn(): number {
    return this.received;
  }

  head(): Buffer | null {
    return this.kept;
  }

  whole(): Buffer | null {
    return this.kept;
  }

  open(): Buffer | null {
    return this.kept;
  }

  streamLength(): null {
    return null;
  }

  isReplayable(): boolean {
    return this.kept !== null;
  }

  release(): void {
    this.kept = null;
  }

  close(): void {
    this.kept = null;
  }
}

/** Flows from the client to whichever attempt reads it, at the pace of the slower one. */
class StreamedBody implements RequestBody {
  private readonly request: IncomingMessage;
  private readonly size: { readonly length: number | null; readonly maxBytes: number };
  private readonly events: BodyEvents;
  /** The chunks so far, all of them or none. */
  private copy: Buffer[] | null;
  private reader: Readable | null = null;
  private bytes = 0;
  private opened = false;
  private ended = false;

  constructor(request: IncomingMessage, size: { readonly length: number | null; readonly maxBytes: number }, events: BodyEvents) {
    this.request = request;
    this.size = size;
    this.events = events;
    this.copy = size.length === null || size.length <= replayBytes ? [] : null;
  }

  bytesIn(): number {
    return this.bytes;
  }

  head(): Buffer | null {
    return this.copy?.[0] ?? null;
  }

  whole(): null {
    return null;
  }

  streamLength(): number | null {
    return this.size.length;
  }

  isReplayable(): boolean {
    return !this.opened || this.copy !== null;
  }

  open(): Readable {
    const reader = new Readable({ read: () => void this.request.resume() });
    this.reader?.destroy();
    this.reader = reader;
    // Undici tears its body stream down with an error when the upstream fails: that error is reported there.
    reader.on("error", () => {});
    reader.once("close", () => {
      if (this.reader !== reader) return;
      this.reader = null;
      this.request.resume();
    });
    for (const chunk of this.copy ?? []) reader.push(chunk);
    if (this.ended) reader.push(null);
    if (!this.opened) this.start();
    this.opened = true;
    return reader;
  }

  release(): void {
    this.copy = null;
  }

  close(): void {
    this.copy = null;
    // Its end lets the rest of the body flow away; what was never read is dumped by node:http.
    this.reader?.destroy();
  }

  private start(): void {
    const { request } = this;
    const onData = (chunk: Buffer): void => {
      this.bytes += chunk.length;
      if (this.bytes > this.size.maxBytes) {
        request.off("data", onData).resume();
        this.events.onTooLarge();
        return;
      }
      this.keep(chunk);
      this.events.onProgress();
      // Without a reader, what does not fit the copy is dropped: the answer came before the upload's end.
      if (this.reader !== null && !this.reader.push(chunk)) request.pause();
    };
    request.on("data", onData).on("end", () => {
      this.ended = true;
      this.reader?.push(null);
    });
  }

  private keep(chunk: Buffer): void {
    if (this.copy === null) return;
    if (this.bytes > replayBytes) this.copy = null;
    else this.copy.push(chunk);
  }
}
