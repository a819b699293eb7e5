// Takes the body of one request out of the bytes of its connection, in the pieces they came in.
import { ChunkedBody } from "./chunked-body.ts";
import type { HttpRequest } from "./request.ts";
import type { WireFault } from "./wire-fault.ts";

export class BodyReceiver {
  readonly request: HttpRequest;
  /** What is wrong with the body: nothing more of it can be read. */
  fault: WireFault | null = null;
  private readonly chunked: ChunkedBody | null;
  private left: number;

  constructor(request: HttpRequest) {
    const { framing } = request;
    this.request = request;
    this.chunked = framing === "chunked" ? new ChunkedBody() : null;
    this.left = framing === "chunked" ? 0 : framing;
  }

  /** The last byte was read. */
  get isDone(): boolean {
    return this.chunked === null ? this.left === 0 : this.chunked.isDone;
  }

  /** Hands what of `bytes` from `at` on belongs to the body to the request; returns where that ends. */
  read(bytes: Buffer, at: number): number {
    let from = at;
    while (from < bytes.length && !this.isDone && this.fault === null) from = this.chunked === null ? this.plain(bytes, from) : this.inChunks(this.chunked, bytes, from);
    return from;
  }

  private plain(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.left);
    this.left -= end - at;
    this.request.push(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    return end;
  }

  private inChunks(chunked: ChunkedBody, bytes: Buffer, at: number): number {
    let end: number;
    try {
      end = chunked.read(bytes, at);
    } catch (fault) {
      this.fault = fault as WireFault;
      return bytes.length;
    }
    if (chunked.piece !== null) this.request.push(chunked.piece);
    return end;
  }
}
