// Faults of the way: the answer is right, its bytes travel badly. Pure: plan in, plan out.
import type { Fault, TravelFault } from "./fault.ts";
import { silentPlan, type Piece, type Plan } from "./plan.ts";

type Kind<K extends TravelFault["kind"]> = Extract<TravelFault, { kind: K }>;

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

const silenced = (plan: Plan, { afterBytes, ms }: Kind<"silence">): Plan => {
  const waitMs = ms ?? null;
  if (afterBytes === undefined) return { ...plan, waitMs };
  if (isOver(plan, afterBytes)) return plan;
  const [before, [next = { bytes: Buffer.alloc(0), waitMs: 0 }, ...after]] = cutAt(plan.pieces, afterBytes);
  return { ...plan, pieces: [...before, { ...next, waitMs }, ...after] };
};

const headOf = (plan: Plan, extra: readonly (readonly [string, string])[]): Buffer => {
  const own = plan.headers.filter(([name]) => name.toLowerCase() !== "content-length");
  const lines = [...own, ...extra].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.from(`HTTP/1.1 ${plan.status} Simulated\r\n${lines}\r\n`, "latin1");
};

const mislength = (plan: Plan): Plan => {
  const { length } = bodyOf(plan.pieces);
  return { ...plan, end: "close", head: headOf(plan, [["content-length", String(length)], ["content-length", String(length + 1)]]) };
};

const misframed = (plan: Plan): Plan => {
  const body = bodyOf(plan.pieces);
  const framed = Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n0\r\n\r\n")]);
  const head = headOf(plan, [["content-length", String(body.length)], ["transfer-encoding", "chunked"]]);
  return { ...plan, end: "close", head, pieces: [{ bytes: framed, waitMs: 0 }] };
};

const earlyHints = Buffer.from("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n");

/** Does a client have the whole answer, its length announced, before `afterBytes`? Then nothing can happen to it there. */
const isOver = (plan: Plan, afterBytes: number): boolean =>
  afterBytes >= bodyOf(plan.pieces).length && plan.headers.some(([name]) => name.toLowerCase() === "content-length");

const cutShort = (plan: Plan, afterBytes: number, end: "reset" | "close"): Plan =>
  isOver(plan, afterBytes) ? plan : { ...plan, pieces: cutAt(plan.pieces, afterBytes)[0], end };

type Bend = (plan: Plan, fault: never) => Plan;

const bends: { readonly [K in TravelFault["kind"]]: (plan: Plan, fault: Kind<K>) => Plan } = {
  reset: (plan, { afterBytes }) => cutShort(plan, afterBytes, "reset"),
  "answer-lost": () => silentPlan("reset"),
  silence: silenced,
  slow: (plan, { bytes, delayMs }) => ({ ...plan, pieces: recut(plan.pieces, every(bytes, bodyOf(plan.pieces).length), delayMs) }),
  split: (plan, { at, delayMs = 0 }) => ({ ...plan, pieces: recut(plan.pieces, at, delayMs) }),
  truncated: (plan, { afterBytes }) => cutShort(plan, afterBytes, "close"),
  "early-hints": (plan) => ({ ...plan, interim: [earlyHints] }),
  "two-content-lengths": mislength,
  "length-and-chunked": misframed,
  trailers: (plan, { trailers }) => ({
    ...plan,
    trailers,
    headers: [...plan.headers.filter(([name]) => name !== "content-length"), ["transfer-encoding", "chunked"], ["trailer", trailers.map(([name]) => name).join(", ")]],
  }),
};

/** Bends `plan` by every fault that concerns the way, in the given order. */
export const bentPlan = (plan: Plan, faults: readonly Fault[]): Plan =>
  faults.reduce((current, fault) => {
    const bend = (bends as Readonly<Record<string, Bend>>)[fault.kind];
    return bend === undefined ? current : bend(current, fault as never);
  }, plan);
