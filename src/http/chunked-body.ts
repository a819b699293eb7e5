// Takes the chunk framing off a body (RFC 9112 section 7.1): lines where the framing is, whole pieces where the data is.
// Trailers are read and dropped: no client asked for the upstream's (`TE` is not forwarded), and ours go with the framing.
import { fieldLines } from "./fields.ts";
import { wireFault } from "./wire-fault.ts";

// 13 hexadecimal digits are 4 PiB and still an exact number.
const sizeLine = /^([0-9a-f]{1,13})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?\r\n$/i;
const lineFeed = 0x0a;
// What stands around the data carries nothing: a few KiB of it between two pieces is a fault or an attack.
const mostFraming = 16 * 1024;

/** The framing of one body, as far as it has been read. */
export class ChunkedBody {
  /** The data of the last `read`. */
  piece: Buffer | null = null;
  private step: "size" | "data" | "data-end" | "trailer" | "done" = "size";
  private left = 0;
  /** The beginning of a line whose end has not come. */
  private line = "";
  private framing = 0;

  /** The last chunk and the empty line behind it were read. */
  get isDone(): boolean {
    return this.step === "done";
  }

  /**
   * Reads `bytes` from `at` on and returns where it stopped: behind the next piece of data, which `piece` then
   * holds, at the end of the body, or at the end of `bytes`. Throws a `WireFault` (`BAD_CHUNK`).
   */
  read(bytes: Buffer, at: number): number {
    this.piece = null;
    let position = at;
    while (position < bytes.length && this.step !== "done") {
      if (this.step === "data") return this.take(bytes, position);
      position = this.readLine(bytes, position);
    }
    return position;
  }

  private take(bytes: Buffer, position: number): number {
    const end = Math.min(bytes.length, position + this.left);
    this.piece = bytes.subarray(position, end);
    this.left -= end - position;
    if (this.left === 0) this.step = "data-end";
    return end;
  }

  private readLine(bytes: Buffer, position: number): number {
    const at = bytes.indexOf(lineFeed, position);
    const end = at === -1 ? bytes.length : at + 1;
    this.framing += end - position;
    if (this.framing > mostFraming) throw broken();
    this.line += bytes.toString("latin1", position, end);
    if (at === -1) this.expectMore();
    else this.onLine(this.line);
    return end;
  }

  // What can become no right line any more is a fault now and not after a time limit.
  private expectMore(): void {
    if (this.step === "size" && !/^[0-9a-f]{1,13}(?:[\t ;\r]|$)/i.test(this.line)) throw broken();
    if (this.step === "data-end" && this.line !== "\r") throw broken();
  }

  private onLine(line: string): void {
    this.line = "";
    if (this.step === "size") this.onSize(line);
    else if (line === "\r\n") this.step = this.step === "trailer" ? "done" : "size";
    else if (this.step !== "trailer" || !line.endsWith("\r\n") || !fieldLines.test(line.slice(0, -2))) throw broken();
  }

  private onSize(line: string): void {
    const [, digits] = sizeLine.exec(line) ?? [];
    if (digits === undefined) throw broken();
    this.left = Number.parseInt(digits, 16);
    this.step = this.left === 0 ? "trailer" : "data";
    if (this.left > 0) this.framing = 0;
  }
}

const broken = () => wireFault("BAD_CHUNK", "not a chunked body");
