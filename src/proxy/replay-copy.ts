// What of a streamed body may have to be sent again: all pieces so far, or none.

/**
 * Smaller reads are left to the collector, as little as they are. No piece of this size comes from the pool that Node
 * keeps for small buffers.
 */
const worthwhileBytes = 32 * 1024;

export class ReplayCopy {
  pieces: readonly Buffer[] = [];
  isComplete: boolean;
  private readonly limit: number;
  private bytes = 0;

  /** Up to `limit` bytes are kept. */
  constructor(limit: number) {
    this.limit = limit;
    this.isComplete = limit > 0;
  }

  keep(piece: Buffer): void {
    if (!this.isComplete) return;
    this.bytes += piece.length;
    if (this.bytes > this.limit) this.drop();
    else (this.pieces as Buffer[]).push(piece);
  }

  drop(): void {
    this.isComplete = false;
    this.pieces = [];
  }

  /**
   * Drops the pieces and gives the memory of whole reads back at once. Only for pieces that nobody else has and that
   * the kernel has taken: a write that is under way would read memory that is somebody else's by then.
   *
   * Left to the collector, a few hundred uploads are 64 MiB, at which V8 collects the whole heap however little of it
   * is garbage; and each read is written to memory that is cold. At 85 KB a request costs a fifth to a third more (measured).
   */
  giveBack(): void {
    const { pieces } = this;
    this.drop();
    for (const piece of pieces) if (piece.length >= worthwhileBytes && isEndOfItsMemory(piece)) (piece.buffer as ArrayBuffer).transfer(0);
  }
}

// Such a piece shares its memory with nothing but its own request: what a read holds beyond it is copied.
const isEndOfItsMemory = ({ buffer, byteOffset, length }: Buffer): boolean => byteOffset + length === buffer.byteLength;
