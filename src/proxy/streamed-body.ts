// A body that flows from the client to whichever attempt reads it, at the pace of the slower one, with a bounded copy
// for as long as it may have to be sent again.
import type { BodyReader, HttpRequest } from "../http/request.ts";
import { ReplayCopy } from "./replay-copy.ts";
import type { RequestBody } from "./request-body.ts";

/** Where one attempt's body goes. */
export type BodySink = {
  /** The kernel has taken all that was written. */
  readonly isFlushed: boolean;
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

/** A copy is kept up to here; larger bodies cannot be sent a second time. */
const replayBytes = 4 * 1024 * 1024;

/** `length` as announced, null for a chunked body. */
export type StreamSize = { readonly length: number | null; readonly maxBytes: number };

/** As `BodyEvents`, for this body alone. */
type StreamEvents = { readonly onProgress: () => void; readonly onTooLarge: () => void };

/** What the client sends. */
type BodyFlow = Pick<HttpRequest, "read" | "discard" | "pause" | "resume">;

/** A body that is streamed, and the upload that reads it. */
export class StreamedBody implements RequestBody, Upload, BodyReader {
  readonly length: number | null;
  private readonly request: BodyFlow;
  private readonly maxBytes: number;
  private readonly events: StreamEvents;
  private readonly copy: ReplayCopy;
  private sink: BodySink | null = null;
  private attempts = 0;
  private bytes = 0;
  private ended = false;

  constructor(request: BodyFlow, { length, maxBytes }: StreamSize, events: StreamEvents) {
    this.request = request;
    this.length = length;
    this.maxBytes = maxBytes;
    this.events = events;
    this.copy = new ReplayCopy(length === null || length <= replayBytes ? replayBytes : 0);
  }

  bytesIn(): number {
    return this.bytes;
  }

  head(): Buffer | null {
    return this.copy.pieces[0] ?? null;
  }

  whole(): null {
    return null;
  }

  open(): Upload {
    return this;
  }

  isReplayable(): boolean {
    return this.attempts === 0 || this.copy.isComplete;
  }

  release(): void {
    // Of an earlier attempt nobody knows what the kernel had taken.
    if (this.attempts === 1 && this.sink?.isFlushed === true) this.copy.giveBack();
    else this.copy.drop();
  }

  close(): void {
    this.copy.drop();
    if (this.sink !== null) this.stop(this.sink);
  }

  start(sink: BodySink): void {
    this.sink = sink;
    this.attempts += 1;
    for (const piece of this.copy.pieces) sink.write(piece);
    if (this.ended) sink.end();
    if (this.attempts === 1) this.request.read(this);
    else this.request.resume();
  }

  resume(): void {
    this.request.resume();
  }

  stop(sink: BodySink): void {
    if (this.sink !== sink) return;
    this.sink = null;
    this.request.resume();
  }

  onData(piece: Buffer): void {
    this.bytes += piece.length;
    if (this.bytes > this.maxBytes) {
      this.request.discard();
      this.events.onTooLarge();
      return;
    }
    this.copy.keep(piece);
    this.events.onProgress();
    // With nobody reading, what does not fit the copy is let go: the answer came before the upload's end.
    if (this.sink !== null && !this.sink.write(piece)) this.request.pause();
  }

  onEnd(): void {
    this.ended = true;
    this.sink?.end();
  }
}
