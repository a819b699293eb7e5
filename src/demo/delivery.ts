// How the bytes of one answer travel: in which pieces, after which waits, and how they end. An ordinary reply makes
// an ordinary delivery; a scripted fault bends it. `deliver` sends one over a real socket.
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { sleep } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import type { Exchange } from "./journal.ts";
import type { Header, Reply } from "./reply.ts";

/** Bytes of the body, before any chunk framing. `waitMs` comes first; null waits for ever. */
export type Piece = { readonly bytes: Buffer; readonly waitMs: number | null };

/** `close` sends FIN without finishing the message, `reset` RST, `hold` nothing until the client leaves. */
export type End = "complete" | "close" | "reset" | "hold";

export type Delivery = {
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

/** The delivery without any fault. */
export const deliveryOf = (reply: Reply, pace: Pace): Delivery => ({
  status: reply.status,
  headers: [...reply.headers, ...lengthOf(reply)],
  interim: [],
  waitMs: 0,
  head: "ordinary",
  pieces: piecesOf(reply, pace),
  trailers: [],
  end: "complete",
});

const piecesOf = ({ body }: Reply, { chunkDelayMs, fast }: Pace): readonly Piece[] => {
  if (body.kind === "bytes") return [{ bytes: body.bytes, waitMs: 0 }];
  const parts = body.kind === "parts" ? body.parts : body.events.map((event) => Buffer.from(event));
  if (fast) return [{ bytes: Buffer.concat(parts), waitMs: 0 }];
  return parts.map((bytes, at) => ({ bytes, waitMs: at === 0 ? 0 : chunkDelayMs }));
};

/** RFC 9110 section 8.6: no Content-Length with 204; 304 has no body either. */
const lengthOf = ({ status, body }: Reply): readonly Header[] =>
  body.kind === "bytes" && status !== 204 && status !== 304 ? [["content-length", String(body.bytes.length)]] : [];

/** Sends `bytes` as they are and nothing else. */
export const rawDelivery = (bytes: Buffer, end: End): Delivery => ({
  status: 0,
  headers: [],
  interim: [],
  waitMs: 0,
  head: bytes,
  pieces: [],
  trailers: [],
  end,
});

/** Ends before one byte was sent. */
export const silentDelivery = (end: End): Delivery => ({ ...rawDelivery(Buffer.alloc(0), end), head: null });

/** Resolves when the answer is out, cut, or its client has left. Never throws for a broken socket. */
export const deliver = async (delivery: Delivery, response: ServerResponse, exchange: Exchange, clock: Clock): Promise<void> => {
  await turnOf(response);
  const client = clientOf(response, exchange, clock);
  if (client.isGone()) return;
  if (isWhole(delivery) && delivery.pieces[0]?.waitMs === 0) return sendWhole(client, delivery);
  await sendHead(client, delivery);
  if (!client.isGone()) await sendPieces(client, delivery);
  if (!client.isGone()) await finish(client, delivery);
};

// A client may send its next request before the answer to the one before has ended here: until then there is no
// socket for this one.
const turnOf = async (response: ServerResponse): Promise<void> => {
  const { socket } = response.req;
  if (response.socket !== null || socket.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  response.once("socket", () => resolve());
  socket.once("close", resolve);
  await promise;
  socket.off("close", resolve);
};

type Client = {
  readonly response: ServerResponse;
  readonly exchange: Exchange;
  readonly clock: Clock;
  /** Resolves when the client is gone or the server cuts the socket. */
  readonly gone: Promise<void>;
  readonly isGone: () => boolean;
};

const clientOf = (response: ServerResponse, exchange: Exchange, clock: Clock): Client => {
  let closed = response.destroyed || response.req.socket.destroyed;
  const gone = new Promise<void>((resolve) => {
    if (closed) return resolve();
    response.once("close", () => {
      closed = true;
      resolve();
    });
    return undefined;
  });
  return { response, exchange, clock, gone, isGone: () => closed };
};

/** An answer in one piece needs no turns of the event loop of its own. */
const isWhole = (delivery: Delivery): boolean =>
  delivery.pieces.length === 1 && delivery.head === "ordinary" && delivery.end === "complete" && delivery.waitMs === 0 && delivery.interim.length === 0 && delivery.trailers.length === 0;

const sendWhole = (client: Client, delivery: Delivery): Promise<void> => {
  const bytes = delivery.pieces[0]?.bytes ?? Buffer.alloc(0);
  client.exchange.begin(delivery.status, delivery.headers);
  client.response.writeHead(delivery.status, flat(delivery, client));
  client.exchange.sent(visible(client, bytes));
  return flush(client, (done) => client.response.end(bytes, done));
};

const sendHead = async (client: Client, delivery: Delivery): Promise<void> => {
  const { response, exchange } = client;
  for (const bytes of delivery.interim) response.socket?.write(bytes);
  await pause(client, delivery.waitMs);
  if (client.isGone() || delivery.head === null) return;
  exchange.begin(delivery.status === 0 ? null : delivery.status, delivery.headers);
  if (delivery.head !== "ordinary") {
    const raw = delivery.head;
    return flush(client, (done) => response.socket?.write(raw, done));
  }
  response.writeHead(delivery.status, flat(delivery, client));
  response.flushHeaders();
};

const flat = (delivery: Delivery, client: Client): string[] => {
  const { req } = client.response;
  // Written by hand, because Node would add a Keep-Alive hint that the real edge does not send.
  const keep = req.httpVersion === "1.1" && req.headers.connection?.toLowerCase() !== "close" && !delivery.headers.some(([name]) => name.toLowerCase() === "connection");
  const headers = keep ? [...delivery.headers, ["connection", "keep-alive"] as const] : delivery.headers;
  return headers.flatMap(([name, value]) => [name, value]);
};

const sendPieces = async (client: Client, delivery: Delivery): Promise<void> => {
  for (const [at, { bytes, waitMs }] of delivery.pieces.entries()) {
    await (waitMs === 0 && at > 0 ? yieldTurn() : pause(client, waitMs));
    if (client.isGone()) return;
    await sendPiece(client, delivery, bytes);
  }
};

const sendPiece = async (client: Client, delivery: Delivery, bytes: Buffer): Promise<void> => {
  if (bytes.length === 0) return;
  if (delivery.head === "ordinary") await flush(client, (done) => client.response.write(bytes, () => done()));
  else await flush(client, (done) => client.response.socket?.write(bytes, () => done()));
  if (!client.isGone()) client.exchange.sent(visible(client, bytes));
};

/** A HEAD request gets the headers only. */
const visible = ({ response }: Client, bytes: Buffer): number => (response.req.method === "HEAD" ? 0 : bytes.length);

const finish = async (client: Client, delivery: Delivery): Promise<void> => {
  const { response, exchange } = client;
  if (delivery.end === "hold") return client.gone;
  if (delivery.end === "complete" && delivery.head === "ordinary") {
    if (delivery.trailers.length > 0) response.addTrailers(delivery.trailers.map(([name, value]): [string, string] => [name, value]));
    return flush(client, (done) => response.end(done));
  }
  exchange.cut();
  // A reset throws away what the kernel has not sent yet.
  await yieldTurn();
  if (delivery.end === "reset") reset(response.socket);
  else response.socket?.destroySoon();
  return client.gone;
};

/** RST where the socket can, a plain close under TLS. */
const reset = (socket: Socket | null): void => {
  if (socket === null) return;
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
};

const pause = async (client: Client, ms: number | null): Promise<void> => {
  if (ms === null) return client.gone;
  if (ms === 0) return;
  const waited = new AbortController();
  await Promise.race([sleep(client.clock, ms, waited), client.gone]);
  waited.abort();
};

/** Resolves when the kernel has the bytes, so that a reset that follows does not swallow them. */
const flush = (client: Client, write: (done: () => void) => void): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  write(() => resolve());
  return Promise.race([promise, client.gone]);
};

const yieldTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
