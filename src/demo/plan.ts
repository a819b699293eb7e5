// How the bytes of one answer travel: in which pieces, after which waits, and how it ends. An ordinary
// reply makes an ordinary plan; a scripted fault bends it.
import type { Header, Reply } from "./reply.ts";

/** Bytes of the body, before any chunk framing. `waitMs` comes first; null waits for ever. */
export type Piece = { readonly bytes: Buffer; readonly waitMs: number | null };

/** `close` sends FIN without finishing the message, `reset` RST, `hold` nothing until the client leaves. */
export type End = "complete" | "close" | "reset" | "hold";

export type Plan = {
  readonly status: number;
  readonly headers: readonly Header[];
  /** Written before anything else, as they are. */
  readonly interim: readonly Buffer[];
  readonly waitMs: number | null;
  /** Null: no head is sent. `raw` replaces the head, and then the pieces go out without framing. */
  readonly head: "ordinary" | Buffer | null;
  readonly pieces: readonly Piece[];
  readonly trailers: readonly Header[];
  readonly end: End;
};

/** `chunkDelayMs` lies between two events; `fast` sends all of them at once. */
export type Pace = { readonly chunkDelayMs: number; readonly fast: boolean };

const piecesOf = ({ body }: Reply, { chunkDelayMs, fast }: Pace): readonly Piece[] => {
  if (body.kind === "bytes") return [{ bytes: body.bytes, waitMs: 0 }];
  const parts = body.kind === "parts" ? body.parts : body.events.map((event) => Buffer.from(event));
  if (fast) return [{ bytes: Buffer.concat(parts), waitMs: 0 }];
  return parts.map((bytes, at) => ({ bytes, waitMs: at === 0 ? 0 : chunkDelayMs }));
};

/** RFC 9110 section 8.6: no Content-Length with 204; 304 has no body either. */
const lengthOf = ({ status, body }: Reply): readonly Header[] =>
  body.kind === "bytes" && status !== 204 && status !== 304 ? [["content-length", String(body.bytes.length)]] : [];

/** The plan without any fault. */
export const planOf = (reply: Reply, pace: Pace): Plan => ({
  status: reply.status,
  headers: [...reply.headers, ...lengthOf(reply)],
  interim: [],
  waitMs: 0,
  head: "ordinary",
  pieces: piecesOf(reply, pace),
  trailers: [],
  end: "complete",
});

/** A plan that sends `bytes` as they are and nothing else. */
export const wirePlan = (bytes: Buffer, end: End): Plan => ({
  status: 0,
  headers: [],
  interim: [],
  waitMs: 0,
  head: bytes,
  pieces: [],
  trailers: [],
  end,
});

/** A plan that ends before one byte was sent. */
export const silentPlan = (end: End): Plan => ({ ...wirePlan(Buffer.alloc(0), end), head: null });
