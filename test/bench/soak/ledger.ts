// The books: what the clients saw against what the program recorded, request by request. Every difference
// becomes a sentence; a sentence names how often and one example.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Event } from "../../../src/messages/events.ts";
import type { Sent } from "./client.ts";
import type { Kind } from "./kinds.ts";

type Recorded = { readonly requestId: string; ends: number; outcome: string; status: number | null };

export type Books = {
  readonly received: number;
  readonly finished: number;
  readonly rejected: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly notices: Readonly<Record<string, number>>;
  readonly refreshes: Readonly<Record<string, number>>;
  readonly bySession: ReadonlyMap<string, Recorded>;
  readonly faults: readonly string[];
};

const linesOf = (file: string) => createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });

const add = (tally: Record<string, number>, name: string): void => void (tally[name] = (tally[name] ?? 0) + 1);

/** Counts alike differences, keeps the first as the example. */
const createFaults = () => {
  const seen = new Map<string, { count: number; example: string }>();
  return {
    add(what: string, example: string): void {
      const known = seen.get(what) ?? { count: 0, example };
      known.count += 1;
      seen.set(what, known);
    },
    sentences: (): readonly string[] => [...seen].map(([what, { count, example }]) => `${count} × ${what} (such as ${example})`),
  };
};

/** Reads a recording; a request with no end or with two is a fault. */
export const readRecording = async (file: string): Promise<Books> => {
  const books = openBooks();
  for await (const line of linesOf(file)) books.enter(JSON.parse(line) as Event);
  return books.close();
};

const openBooks = () => {
  const byRequest = new Map<string, Recorded>();
  const bySession = new Map<string, Recorded>();
  const tallies = { outcomes: {} as Record<string, number>, notices: {} as Record<string, number>, refreshes: {} as Record<string, number> };
  const counts = { finished: 0, rejected: 0 };
  const faults = createFaults();
  const end = (requestId: string, outcome: string, status: number | null): void => {
    const request = byRequest.get(requestId);
    if (request === undefined) return faults.add("an end of a request that was never received", requestId);
    request.ends += 1;
    Object.assign(request, { outcome, status });
    return add(tallies.outcomes, outcome);
  };
  return {
    enter(event: Event): void {
      if (event.type === "request.received") {
        const request = { requestId: event.requestId, ends: 0, outcome: "", status: null };
        byRequest.set(event.requestId, request);
        bySession.set(event.sessionId ?? event.requestId, request);
      } else if (event.type === "request.finished") {
        counts.finished += 1;
        end(event.requestId, event.outcome, event.status);
      } else if (event.type === "request.rejected") {
        counts.rejected += 1;
        end(event.requestId, `rejected: ${event.code}`, event.status);
      } else if (event.type === "notice") add(tallies.notices, event.code);
      else if (event.type.startsWith("token.refresh")) add(tallies.refreshes, event.type);
    },
    close(): Books {
      for (const { requestId, ends } of byRequest.values()) if (ends !== 1) faults.add(`a received request with ${ends} ends in the recording`, requestId);
      return { received: byRequest.size, ...counts, ...tallies, bySession, faults: faults.sentences() };
    },
  };
};

const agrees = (end: string, { outcome, status }: Recorded): boolean => {
  if (end === "left") return outcome === "client-left";
  if (end === "none" || end.endsWith("broken")) return ["failed", "upstream-error", "timeout", "shutdown"].includes(outcome);
  return end === `${status} whole` && ["ok", "upstream-error", "failed", "timeout"].includes(outcome);
};

export type Compared = { readonly sent: number; readonly ends: Readonly<Record<string, number>>; readonly faults: readonly string[] };

/** Each request of the clients' file has the end its kind may have, and the program says the same of it. */
export const compare = async (file: string, kinds: readonly Kind[], books: Books): Promise<Compared> => {
  const expected = new Map(kinds.map(({ name, ends }) => [name, ends]));
  const ends: Record<string, number> = {};
  const faults = createFaults();
  let sent = 0;
  for await (const line of linesOf(file)) {
    const one = JSON.parse(line) as Sent;
    const recorded = books.bySession.get(one.id);
    const difference = differenceOf(one, expected.get(one.kind) ?? [], recorded);
    sent += 1;
    add(ends, one.end);
    if (difference !== null) faults.add(`“${one.kind}” ${difference}`, recorded?.requestId ?? one.id);
  }
  return { sent, ends, faults: faults.sentences() };
};

const differenceOf = ({ end }: Sent, expected: readonly string[], recorded: Recorded | undefined): string | null => {
  if (recorded === undefined) return `ended as “${end}” and was never received`;
  const told = `${recorded.status} ${recorded.outcome} for the program`;
  if (!expected.includes(end)) return `ended as “${end}” instead of ${expected.join(" or ")}; it is ${told}`;
  return agrees(end, recorded) ? null : `ended as “${end}” for its client, and is ${told}`;
};

/** Sum over all labels of one metric. */
export const metricSum = (text: string, name: string): number =>
  text
    .split("\n")
    .filter((line) => line.startsWith(`claude_oauth_proxy_${name}`) && [" ", "{"].includes(line.charAt(`claude_oauth_proxy_${name}`.length)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
