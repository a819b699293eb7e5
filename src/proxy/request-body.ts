// The client's body on its way up. Small ones are collected first (one write, a known length, and an
// upload that breaks off never reaches the upstream); larger ones are streamed, with a bounded copy kept
// as long as the request may have to be sent again. Bytes are never changed here.
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
  streamLength: () => null,
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

const stream = <Owner extends Owned>(owner: Owner, size: { readonly length: number | null; readonly maxBytes: number }, events: BodyEvents<Owner>): void => {
  const { request } = owner;
  const copy = createCopy(size.length === null || size.length <= replayBytes ? replayBytes : 0);
  let reader: Readable | null = null;
  let bytes = 0;
  let ended = false;
  let opened = false;

  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > size.maxBytes) {
      request.off("data", onData).resume();
      events.onTooLarge(owner);
      return;
    }
    copy.keep(chunk);
    events.onProgress(owner);
    // With nobody reading, what does not fit the copy is let go: the answer came before the upload's end.
    if (reader !== null && !reader.push(chunk)) request.pause();
  };
  const onEnd = (): void => {
    ended = true;
    reader?.push(null);
  };

  const open = (): Readable => {
    reader?.destroy();
    const fresh = new Readable({ read: () => void request.resume() });
    // Undici tears its body stream down with an error when the upstream fails: that error is reported there.
    fresh.on("error", () => {});
    fresh.once("close", () => {
      if (reader !== fresh) return;
      reader = null;
      request.resume();
    });
    for (const chunk of copy.chunks()) fresh.push(chunk);
    if (ended) fresh.push(null);
    reader = fresh;
    if (!opened) request.on("data", onData).on("end", onEnd);
    opened = true;
    return fresh;
  };

  events.onReady(owner, {
    bytesIn: () => bytes,
    head: () => copy.chunks()[0] ?? null,
    whole: () => null,
    open,
    streamLength: () => size.length,
    isReplayable: () => !opened || copy.isComplete(),
    release: copy.drop,
    close() {
      copy.drop();
      // Its end lets the rest of the body flow away; what nobody ever read is dumped by Node itself.
      reader?.destroy();
    },
  });
};

// The chunks so far, all of them or none.
const createCopy = (limit: number) => {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let complete = limit > 0;
  const drop = (): void => {
    complete = false;
    chunks = [];
  };
  return {
    keep(chunk: Buffer): void {
      if (!complete) return;
      bytes += chunk.length;
      if (bytes > limit) drop();
      else chunks.push(chunk);
    },
    chunks: (): readonly Buffer[] => chunks,
    isComplete: () => complete,
    drop,
  };
};
