// The client's body on its way up. Small ones are collected first (one write, a known length, and an
// upload that breaks off never reaches the upstream); larger ones are streamed, with a bounded copy kept
// as long as the request may have to be sent again. Bytes are never changed here.
import type { HttpRequest } from "../http/request.ts";
import { StreamedBody } from "./streamed-body.ts";
import type { StreamSize, Upload } from "./streamed-body.ts";

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

type Owned = { readonly request: Pick<HttpRequest, "framing" | "read" | "discard" | "pause" | "resume"> };

/** Begins to read the request of `owner` and calls `onReady`: at once for a stream or no body, else when all of it is here. */
export const openRequestBody = <Owner extends Owned>(owner: Owner, limits: BodyLimits, events: BodyEvents<Owner>): void => {
  const { framing } = owner.request;
  if (framing === 0) return events.onReady(owner, emptyBody);
  if (framing !== "chunked" && framing > limits.maxBytes) return events.onTooLarge(owner);
  if (limits.collectAll || (framing !== "chunked" && framing <= limits.collectBytes)) collect(owner, limits.maxBytes, events);
  else stream(owner, { length: framing === "chunked" ? null : framing, maxBytes: limits.maxBytes }, events);
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
  request.read({
    onData(chunk) {
      bytes += chunk.length;
      parts.push(chunk);
      if (bytes <= maxBytes) return;
      parts.length = 0;
      request.discard();
      events.onTooLarge(owner);
    },
    onEnd: () => events.onReady(owner, wholeBody(parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts))),
  });
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
