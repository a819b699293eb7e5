// One request of a client: its head, and its body as a flow of pieces to one reader. What comes before there is a
// reader, or while it pauses, is kept; the connection then stops reading beyond a bound.
import { valuesOf } from "./fields.ts";
import type { RequestHead } from "./request-head.ts";

/** Who takes the body. */
export type BodyReader = {
  /** The memory of a piece that reaches to its end is used by this body alone. */
  onData(piece: Buffer): void;
  /** The body is complete. */
  onEnd(): void;
  /** It never will be. */
  onAbort?(): void;
};

/** Where the bytes come from. */
export type BodySource = {
  readonly remoteAddress: string | undefined;
  /** The pace of `request` has changed. */
  onPace(): void;
};

/** More than this is not kept for a reader that does not take it. */
const mostKeptBytes = 64 * 1024;

// Most bodies are never kept.
const none: Buffer[] = [];
const nobody: BodyReader = { onData() {}, onEnd() {} };

export class HttpRequest implements RequestHead {
  readonly method: string;
  readonly target: string;
  readonly httpVersion: RequestHead["httpVersion"];
  readonly rawHeaders: readonly string[];
  readonly framing: RequestHead["framing"];
  readonly keepAlive: boolean;
  /** The last byte of the body was received. */
  isComplete: boolean;
  private readonly source: BodySource;
  private reader: BodyReader | null = null;
  private kept: Buffer[] = none;
  /** How many of them were handed over. */
  private taken = 0;
  private keptBytes = 0;
  private paused = false;
  private over = false;

  constructor(head: RequestHead, source: BodySource) {
    this.method = head.method;
    this.target = head.target;
    this.httpVersion = head.httpVersion;
    this.rawHeaders = head.rawHeaders;
    this.framing = head.framing;
    this.keepAlive = head.keepAlive;
    this.isComplete = head.framing === 0;
    this.source = source;
  }

  /** The client's address. */
  get remoteAddress(): string | undefined {
    return this.source.remoteAddress;
  }

  /** The values of the field `name` (in lower case), in their order. */
  valuesOf(name: string): readonly string[] {
    return valuesOf(this.rawHeaders, name);
  }

  /** Hands the body to `reader`, what is kept at once. A second reader takes the place of the first. */
  read(reader: BodyReader): void {
    this.reader = reader;
    this.handOver();
  }

  /** Throws away whatever still comes. */
  discard(): void {
    this.paused = false;
    this.read(nobody);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.handOver();
  }

  /** Nothing more should be read for it just now. */
  get isFull(): boolean {
    return this.keptBytes > (this.paused ? 0 : mostKeptBytes);
  }

  /** From the connection: the next piece of the body. */
  push(piece: Buffer): void {
    if (this.reader !== null && !this.paused && this.keptBytes === 0) return this.reader.onData(piece);
    if (this.kept === none) this.kept = [];
    this.kept.push(piece);
    this.keptBytes += piece.length;
  }

  /** From the connection: that was the last piece. */
  end(): void {
    this.isComplete = true;
    if (this.keptBytes === 0) this.tellEnd();
  }

  /** From the connection: no more pieces will come, although there should. */
  abort(): void {
    if (this.over) return;
    this.over = true;
    this.letGo();
    this.reader?.onAbort?.();
  }

  private handOver(): void {
    while (this.reader !== null && !this.paused) {
      const piece = this.kept[this.taken];
      if (piece === undefined) break;
      this.taken += 1;
      this.keptBytes -= piece.length;
      this.reader.onData(piece);
    }
    if (this.keptBytes === 0) this.letGo();
    if (this.isComplete && this.keptBytes === 0) this.tellEnd();
    this.source.onPace();
  }

  private letGo(): void {
    this.kept = none;
    this.taken = 0;
    this.keptBytes = 0;
  }

  private tellEnd(): void {
    if (this.over || this.paused || this.reader === null) return;
    this.over = true;
    this.reader.onEnd();
  }
}
