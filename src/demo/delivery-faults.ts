// Faults of delivery: the answer is right, its bytes travel badly. Pure: delivery in, delivery out.
import { silentDelivery, type Delivery, type Piece } from "./delivery.ts";
import type { DeliveryFault, Fault } from "./faults.ts";

type Kind<K extends DeliveryFault["kind"]> = Extract<DeliveryFault, { kind: K }>;

/** `delivery` changed by every fault that concerns it, in the given order. */
export const applyDeliveryFaults = (delivery: Delivery, faults: readonly Fault[]): Delivery =>
  faults.reduce((current, fault) => {
    const change = (changes as Readonly<Record<string, Change>>)[fault.kind];
    return change === undefined ? current : change(current, fault as never);
  }, delivery);

type Change = (delivery: Delivery, fault: never) => Delivery;

const changes: { readonly [K in DeliveryFault["kind"]]: (delivery: Delivery, fault: Kind<K>) => Delivery } = {
  reset: (delivery, { afterBytes }) => cutShort(delivery, afterBytes, "reset"),
  "answer-lost": () => silentDelivery("reset"),
  silence: (delivery, fault) => silenced(delivery, fault),
  slow: (delivery, { bytes, delayMs }) => ({ ...delivery, pieces: recut(delivery.pieces, every(bytes, bodyOf(delivery.pieces).length), delayMs) }),
  split: (delivery, { at, delayMs = 0 }) => ({ ...delivery, pieces: recut(delivery.pieces, at, delayMs) }),
  truncated: (delivery, { afterBytes }) => cutShort(delivery, afterBytes, "close"),
  "early-hints": (delivery) => ({ ...delivery, interim: [earlyHints] }),
  "two-content-lengths": (delivery) => mislength(delivery),
  "length-and-chunked": (delivery) => misframed(delivery),
  trailers: (delivery, { trailers }) => ({
    ...delivery,
    trailers,
    headers: [...delivery.headers.filter(([name]) => name !== "content-length"), ["transfer-encoding", "chunked"], ["trailer", trailers.map(([name]) => name).join(", ")]],
  }),
};

/** Cuts the pieces at a byte of the body: what lies before it, and what lies after. */
const cutAt = (pieces: readonly Piece[], offset: number): readonly [readonly Piece[], readonly Piece[]] => {
  const before: Piece[] = [];
  const after: Piece[] = [];
  let at = 0;
  for (const piece of pieces) {
    const keep = Math.min(Math.max(offset - at, 0), piece.bytes.length);
    if (keep > 0) before.push({ ...piece, bytes: piece.bytes.subarray(0, keep) });
    if (keep < piece.bytes.length) after.push({ bytes: piece.bytes.subarray(keep), waitMs: keep > 0 ? 0 : piece.waitMs });
    at += piece.bytes.length;
  }
  return [before, after];
};

const bodyOf = (pieces: readonly Piece[]): Buffer => Buffer.concat(pieces.map(({ bytes }) => bytes));

const recut = (pieces: readonly Piece[], offsets: readonly number[], delayMs: number): readonly Piece[] => {
  const body = bodyOf(pieces);
  const edges = [...new Set([0, ...offsets.filter((at) => at > 0 && at < body.length), body.length])].sort((a, b) => a - b);
  return edges.slice(1).map((end, index) => ({ bytes: body.subarray(edges[index], end), waitMs: index === 0 ? 0 : delayMs }));
};

const every = (size: number, length: number): readonly number[] => Array.from({ length: Math.floor(length / size) }, (_, at) => (at + 1) * size);

const silenced = (delivery: Delivery, { afterBytes, ms }: Kind<"silence">): Delivery => {
  const waitMs = ms ?? null;
  if (afterBytes === undefined) return { ...delivery, waitMs };
  if (isOver(delivery, afterBytes)) return delivery;
  const [before, [next = { bytes: Buffer.alloc(0), waitMs: 0 }, ...after]] = cutAt(delivery.pieces, afterBytes);
  return { ...delivery, pieces: [...before, { ...next, waitMs }, ...after] };
};

const headOf = (delivery: Delivery, extra: readonly (readonly [string, string])[]): Buffer => {
  const own = delivery.headers.filter(([name]) => name.toLowerCase() !== "content-length");
  const lines = [...own, ...extra].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.from(`HTTP/1.1 ${delivery.status} Simulated\r\n${lines}\r\n`, "latin1");
};

const mislength = (delivery: Delivery): Delivery => {
  const { length } = bodyOf(delivery.pieces);
  return { ...delivery, end: "close", head: headOf(delivery, [["content-length", String(length)], ["content-length", String(length + 1)]]) };
};

const misframed = (delivery: Delivery): Delivery => {
  const body = bodyOf(delivery.pieces);
  const framed = Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n0\r\n\r\n")]);
  const head = headOf(delivery, [["content-length", String(body.length)], ["transfer-encoding", "chunked"]]);
  return { ...delivery, end: "close", head, pieces: [{ bytes: framed, waitMs: 0 }] };
};

const earlyHints = Buffer.from("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n");

/** Does a client have the whole answer, its length announced, before `afterBytes`? Then nothing can happen to it there. */
const isOver = (delivery: Delivery, afterBytes: number): boolean =>
  afterBytes >= bodyOf(delivery.pieces).length && delivery.headers.some(([name]) => name.toLowerCase() === "content-length");

const cutShort = (delivery: Delivery, afterBytes: number, end: "reset" | "close"): Delivery =>
  isOver(delivery, afterBytes) ? delivery : { ...delivery, pieces: cutAt(delivery.pieces, afterBytes)[0], end };
