// The answer to one request of a client. Its head leaves with the first bytes of its body, and each piece in the tick
// it is given. What the client does not take is for the writer to wait for: `write` says so.
import type { Socket } from "node:net";

import { announcedLength, answerHead } from "./answer-head.ts";
import type { AnswerFraming } from "./answer-head.ts";
import { checkFields } from "./fields.ts";
import { chunkSize, lastChunk, writeTogether } from "./write-together.ts";

/** What an answer needs of its connection. */
export type AnswerWay = {
  readonly socket: Socket;
  /** Seconds a connection is kept that nobody uses. */
  readonly keepAliveSeconds: number;
  /** The value of `Date` now. */
  date(): string;
  /** Breaks the connection off. */
  destroy(): void;
  /** The answer is complete as far as its writer is concerned. */
  onEnded(): void;
  /** For the last write of an answer: all of it was handed to the kernel. */
  readonly onWritten: (error?: Error | null) => void;
};

/** The request an answer belongs to: `method` is null when it could not be read. */
export type Asked = { readonly method: string | null; readonly httpVersion: "1.0" | "1.1"; readonly keepAlive: boolean };

const nothing = Buffer.alloc(0);

export class HttpResponse {
  /** The connection may serve another request after this one; settled once the head is sent. */
  keepAlive: boolean;
  /** A `Date` is added to the head (RFC 9110 section 6.6.1); not to somebody else's answer. */
  sendDate = true;
  /** The head went out, or is about to: nothing about it can be changed. */
  headSent = false;
  /** Its writer has said all. */
  isEnded = false;
  /** All of it was handed to the kernel. */
  isFinished = false;
  /** It is finished, or never will be. */
  isClosed = false;
  /** The end of its body is marked by nothing but the end of the connection. */
  closeDelimited = false;
  private readonly way: AnswerWay;
  private readonly asked: Asked;
  private status = 200;
  private fields: readonly string[] = [];
  private own: string[] | null = null;
  private flushed = false;
  private bodyBytes = 0;
  private framing: AnswerFraming = "none";
  private closeListeners: (() => void)[] | null = null;
  private drainListener: (() => void) | null = null;

  constructor(asked: Asked, way: AnswerWay) {
    this.asked = asked;
    this.way = way;
    this.keepAlive = asked.keepAlive;
  }

  /** Bytes that wait for the client. */
  get unsentBytes(): number {
    return this.way.socket.writableLength;
  }

  /** Calls `listener` once when the answer is closed. */
  onClose(listener: () => void): void {
    (this.closeListeners ??= []).push(listener);
  }

  /** Calls `listener` once when what waits for the client is gone. */
  onDrain(listener: () => void): void {
    this.drainListener = listener;
  }

  /** A field for whatever head is written later, in addition to those of the same name. */
  addField(name: string, value: string): void {
    checkFields([name, value]);
    (this.own ??= []).push(name, value);
  }

  /**
   * The final status and its fields (name, value …). They leave with the first piece of the body, or by `flushHead`.
   * Throws a `WireFault` for what cannot be written as HTTP, and when there is a head already.
   */
  writeHead(status: number, fields: readonly string[]): void {
    if (this.headSent) throw new Error("the head was sent already");
    checkFields(fields);
    this.status = status;
    this.fields = this.own === null ? fields : [...this.own, ...fields];
    this.headSent = true;
  }

  /** Asks the client for the body it holds back (RFC 9110 section 10.1.1); one of HTTP/1.0 would not understand. */
  writeContinue(): void {
    if (!this.headSent && !this.isClosed && this.asked.httpVersion === "1.1") this.way.socket.write("HTTP/1.1 100 Continue\r\n\r\n", "latin1");
  }

  flushHead(): void {
    if (this.isClosed || this.flushed) return;
    this.way.socket.write(this.takeHead(null), "latin1");
  }

  /** The next piece of the body; false asks to wait for `onDrain`. */
  write(piece: Buffer | string): boolean {
    if (this.isClosed || this.isEnded) return true;
    const head = this.flushed ? "" : this.takeHead(null);
    const bytes = this.contentOf(piece);
    if (bytes.length === 0 && head === "") return true;
    const isChunk = this.framing === "chunked" && bytes.length > 0;
    return writeTogether(this.way.socket, isChunk ? { before: head + chunkSize(bytes), bytes, behind: "\r\n" } : { before: head, bytes, behind: "" });
  }

  /** The last piece, or none. Without a length in its fields the answer gets that of `piece` when nothing was written before. */
  end(piece: Buffer | string = nothing): void {
    if (this.isClosed || this.isEnded) return;
    const head = this.flushed ? "" : this.takeHead(Buffer.byteLength(piece));
    const bytes = this.contentOf(piece);
    this.isEnded = true;
    // Another length than the announced one would be taken for the next answer, or waited for.
    if (typeof this.framing === "number" && this.bodyBytes !== this.framing) return this.destroy();
    const { socket, onWritten } = this.way;
    if (this.framing !== "chunked") writeTogether(socket, { before: head, bytes, behind: "" }, onWritten);
    else if (bytes.length === 0) writeTogether(socket, { before: head, bytes, behind: lastChunk }, onWritten);
    else writeTogether(socket, { before: head + chunkSize(bytes), bytes, behind: `\r\n${lastChunk}` }, onWritten);
    this.way.onEnded();
  }

  /** Breaks the connection off, so that what is cut cannot look complete (RFC 9112 section 8). */
  destroy(): void {
    if (!this.isClosed) this.way.destroy();
  }

  /** From the connection: this answer is over, all of it sent or not. */
  close(isFinished: boolean): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.isFinished = isFinished;
    for (const listener of this.closeListeners ?? []) listener();
  }

  /** From the connection: nothing waits for the client any more. */
  drained(): void {
    const listener = this.drainListener;
    this.drainListener = null;
    listener?.();
  }

  private takeHead(wholeLength: number | null): string {
    if (!this.headSent) this.writeHead(200, []);
    this.flushed = true;
    this.framing = this.framingOf(wholeLength);
    this.closeDelimited = this.framing === "close";
    if (this.closeDelimited) this.keepAlive = false;
    const fields = this.sendDate ? [...this.fields, "Date", this.way.date()] : this.fields;
    return answerHead({ status: this.status, fields, framing: this.framing, keepAliveSeconds: this.keepAlive ? this.way.keepAliveSeconds : null });
  }

  private contentOf(piece: Buffer | string): Buffer {
    if (this.framing === "none") return nothing;
    const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
    this.bodyBytes += bytes.length;
    return bytes;
  }

  private framingOf(wholeLength: number | null): AnswerFraming {
    if (this.asked.method === "HEAD" || this.status === 204 || this.status === 304) return "none";
    const length = announcedLength(this.fields) ?? wholeLength;
    if (length !== null) return length;
    return this.asked.httpVersion === "1.1" ? "chunked" : "close";
  }
}
