// Collects the head of one message after another from the reads of a connection, requests and answers alike, in time
// and memory that grow with its length only, however small the reads are.
import { wireFault } from "./wire-fault.ts";

/** The first line of a message and its fields, in bytes: what a client may send, and the upstream. */
export const maxHeadBytes = 64 * 1024;
/** The end of the last line, and the empty line behind it. */
const headEnd = "\r\n\r\n";
const emptyLine = "\r\n";
// What of the end may be there already.
const partOfEnd = headEnd.length - 1;
// A line feed alone, or a control character: no head has them, so nobody has to wait for the rest.
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const neverInHead = /[^\r]\n|[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;

export class HeadReader {
  /** The head that the last `read` completed, without its empty line. */
  text = "";
  private kept: Buffer | null = null;
  private length = 0;
  private readonly skipsEmptyLines: boolean;

  /** `skipsEmptyLines`: those before a message mean nothing, as before a request (RFC 9112 section 2.2). */
  constructor({ skipsEmptyLines }: { readonly skipsEmptyLines: boolean }) {
    this.skipsEmptyLines = skipsEmptyLines;
  }

  /** A head has begun and its end has not come. */
  get hasBegun(): boolean {
    return this.length > 0 && !this.isHalfEmptyLine;
  }

  /** Up to `most` bytes of the head whose end has not come. */
  beginning(most: number): string {
    return this.kept?.toString("latin1", 0, Math.min(most, this.length)) ?? "";
  }

  /**
   * Reads `bytes` from `at` on. Returns where the head ends, which `text` then holds, or -1 when it goes on after
   * `bytes`. Throws a `WireFault`.
   */
  read(bytes: Buffer, at: number): number {
    const from = this.skipsEmptyLines ? this.skipEmptyLines(bytes, at) : at;
    return this.length === 0 ? this.readFresh(bytes, from) : this.readOn(bytes, from);
  }

  private skipEmptyLines(bytes: Buffer, at: number): number {
    let from = at;
    if (this.isHalfEmptyLine && bytes[from] === 0x0a) {
      this.length = 0;
      from += 1;
    }
    while (this.length === 0 && startsWithEmptyLine(bytes, from)) from += emptyLine.length;
    return from;
  }

  private get isHalfEmptyLine(): boolean {
    return this.skipsEmptyLines && this.length === 1 && this.kept?.[0] === 0x0d;
  }

  private readFresh(bytes: Buffer, from: number): number {
    const end = bytes.indexOf(headEnd, from, "latin1");
    checkSize(end === -1 ? bytes.length - from - partOfEnd : end - from);
    if (end === -1) {
      this.keep(bytes, from);
      this.checkFrom(0);
      return -1;
    }
    this.text = bytes.toString("latin1", from, end);
    return end + headEnd.length;
  }

  private readOn(bytes: Buffer, from: number): number {
    const before = this.length;
    const kept = this.keep(bytes, from);
    const end = kept.subarray(0, this.length).indexOf(headEnd, Math.max(0, before - headEnd.length + 1), "latin1");
    checkSize(end === -1 ? this.length - partOfEnd : end);
    if (end === -1) {
      this.checkFrom(before);
      return -1;
    }
    this.text = kept.toString("latin1", 0, end);
    this.kept = null;
    this.length = 0;
    return from + end + headEnd.length - before;
  }

  // Of a read that is larger than any head its beginning will do.
  private keep(bytes: Buffer, from: number): Buffer {
    const part = bytes.subarray(from, Math.min(bytes.length, from + maxHeadBytes + headEnd.length));
    this.kept = withRoom(this.kept, this.length, part.length);
    part.copy(this.kept, this.length);
    this.length += part.length;
    return this.kept;
  }

  // What is new is looked at together with the byte before it.
  private checkFrom(place: number): void {
    const text = this.kept?.toString("latin1", Math.max(0, place - 1), this.length) ?? "";
    if (neverInHead.test(text) || (place === 0 && text.startsWith("\n"))) throw wireFault("BAD_HEADER_FIELD", "a line that ends without CR, or a control character");
  }
}

const startsWithEmptyLine = (bytes: Buffer, at: number): boolean => bytes[at] === 0x0d && bytes[at + 1] === 0x0a;

const checkSize = (bytes: number): void => {
  if (bytes > maxHeadBytes) throw wireFault("HEADERS_TOO_LARGE", `more than ${maxHeadBytes} bytes of header fields`);
};

// Doubled when it is full, so that a head that comes byte by byte is copied a few times and not for every byte.
const withRoom = (kept: Buffer | null, used: number, more: number): Buffer => {
  if (kept !== null && kept.length >= used + more) return kept;
  const larger = Buffer.allocUnsafeSlow(Math.max(1024, 2 * (used + more)));
  kept?.copy(larger, 0, 0, used);
  return larger;
};
