// Collects the head of one request after another from the reads of a connection, in time and memory that grow with
// its length only, however small the reads are.
import { wireFault } from "./wire-fault.ts";

/** A request line and its fields, in bytes. */
export const maxHeadBytes = 64 * 1024;
const headEnd = "\r\n\r\n";
const emptyLine = "\r\n";
// A line feed alone, or a control character: no head has them, so nobody has to wait for the rest.
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const neverInHead = /[^\r]\n|[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;

export class HeadReader {
  /** The head that the last `read` completed, without its empty line. */
  text = "";
  private kept: Buffer | null = null;
  private length = 0;

  /** A head has begun and its end has not come. */
  get hasBegun(): boolean {
    return this.length > 0;
  }

  /**
   * Reads `bytes` from `at` on. Returns where the head ends, which `text` then holds, or -1 when it goes on after
   * `bytes`. Empty lines before a request are ignored (RFC 9112 section 2.2). Throws a `WireFault`.
   */
  read(bytes: Buffer, at: number): number {
    let from = at;
    while (this.length === 0 && startsWithEmptyLine(bytes, from)) from += emptyLine.length;
    return this.length === 0 ? this.readFresh(bytes, from) : this.readOn(bytes, from);
  }

  private readFresh(bytes: Buffer, from: number): number {
    const end = bytes.indexOf(headEnd, from, "latin1");
    checkSize((end === -1 ? bytes.length : end) - from);
    if (end === -1) {
      this.keep(bytes, from);
      return -1;
    }
    this.text = bytes.toString("latin1", from, end);
    return end + headEnd.length;
  }

  private readOn(bytes: Buffer, from: number): number {
    let before = this.length;
    const kept = this.keep(bytes, from);
    while (this.length > 1 && startsWithEmptyLine(kept, 0)) {
      kept.copyWithin(0, emptyLine.length, this.length);
      this.length -= emptyLine.length;
      before -= emptyLine.length;
    }
    const end = kept.subarray(0, this.length).indexOf(headEnd, Math.max(0, before - headEnd.length + 1), "latin1");
    checkSize(end === -1 ? this.length : end);
    if (end === -1) return -1;
    this.text = kept.toString("latin1", 0, end);
    this.kept = null;
    this.length = 0;
    return from + end + headEnd.length - before;
  }

  // Of a read that is larger than any head its beginning will do.
  private keep(bytes: Buffer, from: number): Buffer {
    const part = bytes.subarray(from, Math.min(bytes.length, from + maxHeadBytes + headEnd.length));
    const kept = withRoom(this.kept, this.length, part.length);
    part.copy(kept, this.length);
    checkNew(kept.toString("latin1", Math.max(0, this.length - 1), this.length + part.length), this.length === 0);
    this.kept = kept;
    this.length += part.length;
    return kept;
  }
}

// `text` begins with the byte before the new ones, when there is one. What stands behind the head is another matter.
const checkNew = (text: string, isFirst: boolean): void => {
  const end = text.indexOf(headEnd);
  const head = end === -1 ? text : text.slice(0, end);
  if (neverInHead.test(head) || (isFirst && head.startsWith("\n"))) throw wireFault("BAD_HEADER_FIELD", "a line that ends without CR, or a control character");
};

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
