// The client's body on its way up. Small ones are collected first (one write, a known length, and an
// upload that breaks off never reaches the upstream); larger ones are streamed, with a bounded copy kept
// as long as the request may have to be sent again. Bytes are never changed here.
import type { IncomingMessage } from "node:http";

/** Where one attempt's body goes. */
export type BodySink = {
  /** False asks to wait until `resume`. */
  write(piece: Buffer): boolean;
  /** All of it was written. */
  end(): void;
};

/** A body on its way, for one attempt after another. */
export type Upload = {
  /** Its announced length in bytes; null when its end is marked by its coding. */
  readonly length: number | null;
  /** Writes it to `sink`, from the first byte on; an earlier sink gets nothing more. */
  start(sink: BodySink): void;
  /** The sink that said false takes more. */
  resume(): void;
  /** `sink` takes nothing more: the rest is read and thrown away. */
  stop(sink: BodySink): void;
};

export type RequestBody = {
  /** Bytes received from the client so far. */
  bytesIn(): number;
  /** The beginning that is at hand, for a glance. */
  head(): Buffer | null;
  /** The whole body when it was collected, null when it is streamed or absent. */
  whole(): Buffer | null;
  /** What one attempt sends. */
  open(): Buffer | Upload | null;
  /** Can `open` be called (again)? */
  isReplayable(): boolean;
  /** No further attempt will come: drops the copy. */
  release(): void;
  /** The request is over: whatever the client still sends is read and thrown away. */
  close(): void;
};

export type BodyLimits = {
  readonly maxBytes: number;
  /** Bodies up to this announced length are collected first. */
  readonly collectBytes: number;
  /** Collect whatever comes, chunked bodies too: the body has to be looked into. */
  readonly collectAll: boolean;
};

/** For all requests of one forwarder: each is told whose body it is about. */
export type BodyEvents<Owner> = {
  /** The first attempt may begin. */
  readonly onReady: (owner: Owner, body: RequestBody) => void;
  /** More than `maxBytes` were announced or came. */
  readonly onTooLarge: (owner: Owner) => void;
  /** The upload moves on. */
  readonly onProgress: (owner: Owner) => void;
};

type Owned = { readonly request: IncomingMessage };

/** A copy is kept up to here; larger bodies cannot be sent a second time. */
export const replayBytes = 4 * 1024 * 1024;

/** Begins to read the request of `owner` and calls `onReady`: at once for a stream or no body, else when all of it is here. */
export const openRequestBody = <Owner extends Owned>(owner: Owner, limits: BodyLimits, events: BodyEvents<Owner>): void => {
  const length = announcedLength(owner.request);
  if (length === 0) return events.onReady(owner, emptyBody);
  if (length !== null && length > limits.maxBytes) return events.onTooLarge(owner);
  if (limits.collectAll || (length !== null && length <= limits.collectBytes)) collect(owner, limits.maxBytes, events);
  else stream(owner, { length, maxBytes: limits.maxBytes }, events);
};

// Zero also stands for a request without a body; null for one whose end is marked by its coding.
const announcedLength = (request: IncomingMessage): number | null => {
  if (request.headers["transfer-encoding"] !== undefined) return null;
  const length = request.headers["content-length"];
  return length === undefined ? 0 : Number(length);
};

/** No body, or none yet. */
export const emptyBody: RequestBody = {
  bytesIn: () => 0,
  head: () => null,
  whole: () => null,
  open: () => null,
  isReplayable: () => true,
  release() {},
  close() {},
};

const collect = <Owner extends Owned>(owner: Owner, maxBytes: number, events: BodyEvents<Owner>): void => {
  const { request } = owner;
  const parts: Buffer[] = [];
  let bytes = 0;
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    parts.push(chunk);
    if (bytes <= maxBytes) return;
    parts.length = 0;
    request.off("data", onData).off("end", onEnd).resume();
    events.onTooLarge(owner);
  };
  const onEnd = (): void => events.onReady(owner, wholeBody(parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)));
  request.on("data", onData).on("end", onEnd);
};

/** A body that is at hand; also what a mapped model leaves. `bytesIn` is what the client sent. */
export const wholeBody = (content: Buffer, bytesIn = content.length): RequestBody => new WholeBody(content, bytesIn);

// Nearly every request has one: an object of a class, without a closure for each function.
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

const stream = <Owner extends Owned>(owner: Owner, size: StreamSize, events: BodyEvents<Owner>): void => {
  const body = new StreamedBody(owner.request, size, { onProgress: () => events.onProgress(owner), onTooLarge: () => events.onTooLarge(owner) });
  events.onReady(owner, body);
};

type StreamSize = { readonly length: number | null; readonly maxBytes: number };
type StreamEvents = { readonly onProgress: () => void; readonly onTooLarge: () => void };

// Flows from the client to whichever attempt reads it, at the pace of the slower one.
class StreamedBody implements RequestBody, Upload {
  readonly length: number | null;
  private readonly request: IncomingMessage;
  private readonly maxBytes: number;
  private readonly events: StreamEvents;
  private readonly copy: Copy;
  private sink: BodySink | null = null;
  private bytes = 0;
  private ended = false;
  private flows = false;

  constructor(request: IncomingMessage, { length, maxBytes }: StreamSize, events: StreamEvents) {
    this.request = request;
    this.length = length;
    this.maxBytes = maxBytes;
    this.events = events;
    this.copy = new Copy(length === null || length <= replayBytes ? replayBytes : 0);
  }

  bytesIn(): number {
    return this.bytes;
  }

  head(): Buffer | null {
    return this.copy.chunks[0] ?? null;
  }

  whole(): null {
    return null;
  }

  open(): Upload {
    return this;
  }

  isReplayable(): boolean {
    return !this.flows || this.copy.isComplete;
  }

  release(): void {
    this.copy.drop();
  }

  // What nobody ever read is dumped by Node itself.
  close(): void {
    this.copy.drop();
    if (this.sink !== null) this.stop(this.sink);
  }

  start(sink: BodySink): void {
    this.sink = sink;
    for (const chunk of this.copy.chunks) sink.write(chunk);
    if (this.ended) sink.end();
    if (!this.flows) this.request.on("data", this.onData).on("end", this.onEnd);
    this.flows = true;
    this.request.resume();
  }

  resume(): void {
    this.request.resume();
  }

  stop(sink: BodySink): void {
    if (this.sink !== sink) return;
    this.sink = null;
    this.request.resume();
  }

  private readonly onData = (chunk: Buffer): void => {
    this.bytes += chunk.length;
    if (this.bytes > this.maxBytes) {
      this.request.off("data", this.onData).resume();
      this.events.onTooLarge();
      return;
    }
    this.copy.keep(chunk);
    this.events.onProgress();
    // With nobody reading, what does not fit the copy is let go: the answer came before the upload's end.
    if (this.sink !== null && !this.sink.write(chunk)) this.request.pause();
  };

  private readonly onEnd = (): void => {
    this.ended = true;
    this.sink?.end();
  };
}

// The chunks so far, all of them or none.
class Copy {
  chunks: Buffer[] = [];
  isComplete: boolean;
  private readonly limit: number;
  private bytes = 0;

  constructor(limit: number) {
    this.limit = limit;
    this.isComplete = limit > 0;
  }

  keep(chunk: Buffer): void {
    if (!this.isComplete) return;
    this.bytes += chunk.length;
    if (this.bytes > this.limit) this.drop();
    else this.chunks.push(chunk);
  }

  drop(): void {
    this.isComplete = false;
    this.chunks = [];
  }
}
