// Brings the bytes of a compressed answer to their reader. Decompression works behind the client's back: its
// backlog and its output are bounded, its failure ends the reading and nothing else.
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import type { Transform } from "node:stream";

import type { AnswerReader } from "./answer-reader.ts";

export type AnswerFeed = { push(chunk: Buffer): void; end(): void; stop(): void };

/** Called when nothing more will be read: null at the regular end, else a code for the reason. */
export type Settle = (fault: string | null) => void;

const longestBacklog = 1024 * 1024;
const mostDecoded = 64 * 1024 * 1024;

/** Null when the encoding is not known here (or there are several, one over the other). */
export const openFeed = (encoding: string, reader: AnswerReader, settle: Settle): AnswerFeed | null => {
  const decoder = decoderFor(encoding.trim().toLowerCase());
  return decoder === null ? null : decodingFeed(decoder, reader, settle);
};

const decoderFor = (encoding: string): Transform | null => {
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress();
    case "zstd":
      return createZstdDecompress();
    default:
      return null;
  }
};

const decodingFeed = (decoder: Transform, reader: AnswerReader, settle: Settle): AnswerFeed => {
  let bytes = 0;
  const giveUp = (reason: string): void => {
    decoder.destroy();
    settle(reason);
  };
  // These run in the decoder's own events, where nobody else would catch.
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch {
      giveUp("reader");
    }
  };
  decoder.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > mostDecoded) giveUp("too-much");
    else attempt(() => reader.read(chunk));
  });
  decoder.once("end", () => attempt(() => reader.end()));
  decoder.once("close", () => settle(null));
  decoder.on("error", () => settle("encoding"));
  return {
    push(chunk) {
      if (decoder.writableLength > longestBacklog) giveUp("too-fast");
      else decoder.write(chunk);
    },
    end: () => void decoder.end(),
    stop: () => void decoder.destroy(),
  };
};
