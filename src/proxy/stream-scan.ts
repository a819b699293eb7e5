// Reads server-sent events from a copy of the bytes (WHATWG HTML section 9.2.6): lines end with LF, CR or
// CRLF, chunks may be cut anywhere. Memory is bounded whatever comes, and it has no say in the stream.

/** One dispatched event. `data` is null when it was longer than the limit. */
export type ScannedEvent = (name: string, data: string | null) => void;

export type StreamScan = { push(chunk: Buffer): void };

const lf = 0x0a;
const cr = 0x0d;

/** Calls `onEvent` at every blank line that closes an event with data; keeps at most `limit` bytes of one event. */
export const createStreamScan = (onEvent: ScannedEvent, limit = 256 * 1024): StreamScan => {
  let line = createLine(limit);
  let event = emptyEvent();
  let afterCr = false;
  let first = true;

  const endLine = (rest: Buffer): void => {
    const text = line.take(rest);
    if (text === null) event.seen = event.tooLong = true;
    else if (text !== "") field(event, first ? text.replace(/^\ufeff/, "") : text, limit);
    else {
      if (event.seen) onEvent(event.name, event.tooLong ? null : event.data.join("\n"));
      event = emptyEvent();
    }
    first = false;
  };

  // What is between two LFs; CRs in it end lines too, and the one at its end swallows the LF behind it.
  const segment = (piece: Buffer, closedByLf: boolean): void => {
    let from = 0;
    for (let at = piece.indexOf(cr); at !== -1; at = piece.indexOf(cr, from)) {
      endLine(piece.subarray(from, at));
      from = at + 1;
    }
    if (piece.length > 0) afterCr = from === piece.length && from > 0;
    if (!closedByLf) line.keep(piece.subarray(from));
    else if (afterCr) afterCr = false;
    else endLine(piece.subarray(from));
  };

  return {
    push(chunk) {
      let from = 0;
      for (let at = chunk.indexOf(lf); at !== -1; at = chunk.indexOf(lf, from)) {
        segment(chunk.subarray(from, at), true);
        from = at + 1;
      }
      segment(chunk.subarray(from), false);
    },
  };
};

type OpenEvent = { name: string; readonly data: string[]; bytes: number; seen: boolean; tooLong: boolean };

const emptyEvent = (): OpenEvent => ({ name: "", data: [], bytes: 0, seen: false, tooLong: false });

const field = (event: OpenEvent, text: string, limit: number): void => {
  const colon = text.indexOf(":");
  if (colon === 0) return;
  const name = colon === -1 ? text : text.slice(0, colon);
  const value = colon === -1 ? "" : text.slice(text[colon + 1] === " " ? colon + 2 : colon + 1);
  if (name === "event") event.name = value;
  if (name !== "data") return;
  event.seen = true;
  event.bytes += value.length + 1;
  if (event.bytes > limit) {
    event.tooLong = true;
    event.data.length = 0;
  } else event.data.push(value);
};

// The beginning of a line whose end has not come yet. It is copied: a view would keep the whole 64 KiB
// block of the socket alive, and two thousand streams would keep two thousand of them. One buffer that
// doubles, because a line may also come byte by byte.
const createLine = (limit: number) => {
  let store: Buffer | null = null;
  let bytes = 0;
  const reserve = (size: number): Buffer => {
    if (store !== null && store.length >= size) return store;
    const larger = Buffer.allocUnsafeSlow(Math.max(256, 2 ** Math.ceil(Math.log2(size))));
    store?.copy(larger, 0, 0, bytes);
    store = larger;
    return larger;
  };
  const keep = (part: Buffer): void => {
    if (part.length === 0) return;
    if (bytes + part.length > limit) store = null;
    else part.copy(reserve(bytes + part.length), bytes);
    bytes += part.length;
  };
  return {
    keep,
    /** The whole line, null when it was longer than the limit; starts the next one. */
    take(rest: Buffer): string | null {
      if (bytes === 0) return rest.length > limit ? null : rest.toString("utf8");
      keep(rest);
      const text = store === null ? null : store.toString("utf8", 0, bytes);
      store = null;
      bytes = 0;
      return text;
    },
  };
};
