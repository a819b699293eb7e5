// Reads the answers of one connection as their bytes come (RFC 9112): interim answers are dropped, the body is
// handed on in the pieces it came in, never held back and never put together.
import { ChunkedBody } from "../http/chunked-body.ts";
import { readResponseHead } from "./response-head.ts";
import type { ResponseHead } from "./response-head.ts";
import { valueOf } from "../http/fields.ts";
import { HeadReader } from "../http/head-reader.ts";
import { wireFault } from "../http/wire-fault.ts";

/** Who gets the answer. Either may stop the parser. */
export type ResponseSink = {
  /** The final head (never 1xx). */
  onHead(head: ResponseHead): void;
  onData(piece: Buffer): void;
};

// More than any server has a reason to send; each is up to the header limit, so a flood must end.
const mostInterimAnswers = 16;
const start = "HTTP/1.";

/** One for each connection: `begin` with every request, `push` with every read, `finish` at its end. */
export class ResponseParser {
  private method = "";
  private state: "head" | "body" | "complete" = "complete";
  private head: ResponseHead | null = null;
  private readonly heads = new HeadReader({ skipsEmptyLines: false });
  private chunked: ChunkedBody | null = null;
  private left = 0;
  private interim = 0;

  /** Expects the answer to a request with `method`. */
  begin(method: string): void {
    this.method = method;
    this.state = "head";
    this.head = null;
    this.interim = 0;
  }

  /** The last byte of the answer was read, or nobody waits for more. */
  get isComplete(): boolean {
    return this.state === "complete";
  }

  /** The present answer allows another one after it. */
  get keepsAlive(): boolean {
    return this.head?.keepAlive === true;
  }

  /** `Keep-Alive` of the present answer. */
  get keepAliveHint(): string | null {
    return this.head === null ? null : valueOf(this.head.raw, "keep-alive");
  }

  /** Nothing further is handed to anyone. */
  stop(): void {
    this.state = "complete";
    this.head = null;
  }

  /** Reads `bytes`; false when some are left behind the end of the answer. Throws a `WireFault`, or what `sink` throws. */
  push(bytes: Buffer, sink: ResponseSink): boolean {
    let at = 0;
    while (this.state === "head" && at < bytes.length) {
      at = this.heads.read(bytes, at);
      if (at === -1) return this.checkStart();
      this.onHead(readResponseHead(this.heads.text, this.method), sink);
    }
    return this.body(bytes, at, sink);
  }

  /** The connection ended. Returns when that is a right end of the answer, else throws a `WireFault`. */
  finish(): void {
    if (this.state === "body" && this.head?.framing === "close") this.state = "complete";
    if (this.state === "body") throw wireFault("SHORT_BODY", "the answer ended before its body was complete");
    if (this.state === "head") throw wireFault("CONNECTION_CLOSED", "the connection ended before the answer began");
  }

  // What cannot become an answer any more is a fault now and not after a time limit.
  private checkStart(): true {
    if (!start.startsWith(this.heads.beginning(start.length))) throw wireFault("BAD_STATUS_LINE", "not an HTTP/1.1 status line");
    return true;
  }

  private onHead(head: ResponseHead, sink: ResponseSink): void {
    if (head.status === 101) throw wireFault("UNEXPECTED_UPGRADE", "101 without being asked");
    if (head.status < 200) {
      this.interim += 1;
      if (this.interim > mostInterimAnswers) throw wireFault("INTERIM_FLOOD", "too many interim answers");
      return;
    }
    this.head = head;
    this.state = head.framing === 0 ? "complete" : "body";
    this.chunked = head.framing === "chunked" ? new ChunkedBody() : null;
    this.left = typeof head.framing === "number" ? head.framing : Number.POSITIVE_INFINITY;
    sink.onHead(head);
  }

  private body(bytes: Buffer, from: number, sink: ResponseSink): boolean {
    let at = from;
    while (this.state === "body" && at < bytes.length) at = this.chunked === null ? this.plain(bytes, at, sink) : this.inChunks(this.chunked, { bytes, at, sink });
    return at === bytes.length;
  }

  private plain(bytes: Buffer, at: number, sink: ResponseSink): number {
    const end = Math.min(bytes.length, at + this.left);
    this.left -= end - at;
    if (this.left === 0) this.state = "complete";
    sink.onData(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    return end;
  }

  private inChunks(chunked: ChunkedBody, { bytes, at, sink }: { readonly bytes: Buffer; readonly at: number; readonly sink: ResponseSink }): number {
    const end = chunked.read(bytes, at);
    if (chunked.isDone) this.state = "complete";
    if (chunked.piece !== null) sink.onData(chunked.piece);
    return end;
  }
}
