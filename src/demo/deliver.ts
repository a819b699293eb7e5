// Sends a plan over a real socket, with the waits it asks for, and stops at once when the client leaves.
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { sleep } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import type { Plan } from "./plan.ts";
import type { Exchange } from "./journal.ts";

type Line = {
  readonly response: ServerResponse;
  readonly exchange: Exchange;
  readonly clock: Clock;
  /** Resolves when the client is gone or the server cuts the socket. */
  readonly gone: Promise<void>;
  readonly isGone: () => boolean;
};

const openLine = (response: ServerResponse, exchange: Exchange, clock: Clock): Line => {
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

const pause = async (line: Line, ms: number | null): Promise<void> => {
  if (ms === null) return line.gone;
  if (ms === 0) return;
  const waited = new AbortController();
  await Promise.race([sleep(line.clock, ms, waited), line.gone]);
  waited.abort();
};

/** Resolves when the kernel has the bytes, so that a reset that follows does not swallow them. */
const flush = (line: Line, write: (done: () => void) => void): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  write(() => resolve());
  return Promise.race([promise, line.gone]);
};

const yieldTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** RST where the socket can, a plain close under TLS. */
const reset = (socket: Socket | null): void => {
  if (socket === null) return;
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
};

const flat = (plan: Plan, line: Line): string[] => {
  const { req } = line.response;
  // Said by hand, because Node would add a Keep-Alive hint that the real edge does not send.
  const keep = req.httpVersion === "1.1" && req.headers.connection?.toLowerCase() !== "close" && !plan.headers.some(([name]) => name.toLowerCase() === "connection");
  const headers = keep ? [...plan.headers, ["connection", "keep-alive"] as const] : plan.headers;
  return headers.flatMap(([name, value]) => [name, value]);
};

const sendHead = async (line: Line, plan: Plan): Promise<void> => {
  const { response, exchange } = line;
  for (const bytes of plan.interim) response.socket?.write(bytes);
  await pause(line, plan.waitMs);
  if (line.isGone() || plan.head === null) return;
  exchange.begin(plan.status === 0 ? null : plan.status, plan.headers);
  if (plan.head !== "ordinary") {
    const raw = plan.head;
    return flush(line, (done) => response.socket?.write(raw, done));
  }
  response.writeHead(plan.status, flat(plan, line));
  response.flushHeaders();
};

/** A HEAD request gets the headers only. */
const visible = ({ response }: Line, bytes: Buffer): number => (response.req.method === "HEAD" ? 0 : bytes.length);

const sendPiece = async (line: Line, plan: Plan, bytes: Buffer): Promise<void> => {
  if (bytes.length === 0) return;
  if (plan.head === "ordinary") await flush(line, (done) => line.response.write(bytes, () => done()));
  else await flush(line, (done) => line.response.socket?.write(bytes, () => done()));
  if (!line.isGone()) line.exchange.sent(visible(line, bytes));
};

const finish = async (line: Line, plan: Plan): Promise<void> => {
  const { response, exchange } = line;
  if (plan.end === "hold") return line.gone;
  if (plan.end === "complete" && plan.head === "ordinary") {
    if (plan.trailers.length > 0) response.addTrailers(plan.trailers.map(([name, value]): [string, string] => [name, value]));
    return flush(line, (done) => response.end(done));
  }
  exchange.cut();
  // A reset throws away what the kernel has not sent yet.
  await yieldTurn();
  if (plan.end === "reset") reset(response.socket);
  else response.socket?.destroySoon();
  return line.gone;
};

const sendPieces = async (line: Line, plan: Plan): Promise<void> => {
  for (const [at, { bytes, waitMs }] of plan.pieces.entries()) {
    await (waitMs === 0 && at > 0 ? yieldTurn() : pause(line, waitMs));
    if (line.isGone()) return;
    await sendPiece(line, plan, bytes);
  }
};

/** An answer in one piece needs no turns of the event loop of its own. */
const isWhole = (plan: Plan): boolean =>
  plan.pieces.length === 1 && plan.head === "ordinary" && plan.end === "complete" && plan.waitMs === 0 && plan.interim.length === 0 && plan.trailers.length === 0;

const sendWhole = (line: Line, plan: Plan): Promise<void> => {
  const bytes = plan.pieces[0]?.bytes ?? Buffer.alloc(0);
  line.exchange.begin(plan.status, plan.headers);
  line.response.writeHead(plan.status, flat(plan, line));
  line.exchange.sent(visible(line, bytes));
  return flush(line, (done) => line.response.end(bytes, done));
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

/** Resolves when the answer is out, cut, or its client has left. Never throws for a broken socket. */
export const deliver = async (plan: Plan, response: ServerResponse, exchange: Exchange, clock: Clock): Promise<void> => {
  await turnOf(response);
  const line = openLine(response, exchange, clock);
  if (line.isGone()) return;
  if (isWhole(plan) && plan.pieces[0]?.waitMs === 0) return sendWhole(line, plan);
  await sendHead(line, plan);
  if (!line.isGone()) await sendPieces(line, plan);
  if (!line.isGone()) await finish(line, plan);
};
