// What the clients saw against what the program recorded, request by request. Differences that are alike become one
// sentence with their count and an example.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Event } from "../../../src/messages/events.ts";
import type { Sent } from "./clients.ts";
import type { Kind } from "./kinds.ts";

type Counts = Record<string, number>;
type Recorded = { readonly requestId: string; ends: number; outcome: string; status: number | null };

export type Recording = {
  readonly received: number;
  readonly finished: number;
  readonly rejected: number;
  readonly outcomes: Readonly<Counts>;
  readonly notices: Readonly<Counts>;
  readonly refreshes: Readonly<Counts>;
  readonly bySession: ReadonlyMap<string, Recorded>;
  readonly differences: readonly string[];
};

const linesOf = (file: string) => createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });

const count = (counts: Counts, name: string): void => void (counts[name] = (counts[name] ?? 0) + 1);

const createDifferences = () => {
  const seen = new Map<string, { readonly example: string; count: number }>();
  return {
    add(what: string, example: string): void {
      const known = seen.get(what) ?? { example, count: 0 };
      known.count += 1;
      seen.set(what, known);
    },
    sentences: (): readonly string[] => [...seen].map(([what, { example, count: times }]) => `${times} × ${what} (such as ${example})`),
  };
};

/** A request with no end or with two is a difference. */
export const readRecording = async (file: string): Promise<Recording> => {
  const byRequest = new Map<string, Recorded>();
  const bySession = new Map<string, Recorded>();
  const [outcomes, notices, refreshes]: [Counts, Counts, Counts] = [{}, {}, {}];
  const differences = createDifferences();
  const totals = { finished: 0, rejected: 0 };
  const end = (requestId: string, outcome: string, status: number | null): void => {
    const request = byRequest.get(requestId);
    if (request === undefined) return differences.add("an end of a request that was never received", requestId);
    request.ends += 1;
    Object.assign(request, { outcome, status });
    return count(outcomes, outcome);
  };
  for await (const line of linesOf(file)) {
    const event = JSON.parse(line) as Event;
    if (event.type === "request.received") {
      const request = { requestId: event.requestId, ends: 0, outcome: "", status: null };
      byRequest.set(event.requestId, request);
      bySession.set(event.sessionId ?? event.requestId, request);
    } else if (event.type === "request.finished") {
      totals.finished += 1;
      end(event.requestId, event.outcome, event.status);
    } else if (event.type === "request.rejected") {
      totals.rejected += 1;
      end(event.requestId, `rejected: ${event.code}`, event.status);
    } else if (event.type === "notice") count(notices, event.code);
    else if (event.type.startsWith("token.refresh")) count(refreshes, event.type);
  }
  for (const { requestId, ends } of byRequest.values()) if (ends !== 1) differences.add(`a received request with ${ends} ends in the recording`, requestId);
  return { received: byRequest.size, ...totals, outcomes, notices, refreshes, bySession, differences: differences.sentences() };
};

const agrees = (end: string, { outcome, status }: Recorded): boolean => {
  if (end === "left") return outcome === "client-left";
  if (end === "none" || end.endsWith("broken")) return ["failed", "upstream-error", "timeout", "shutdown"].includes(outcome);
  return end === `${status} whole` && ["ok", "upstream-error", "failed", "timeout"].includes(outcome);
};

const differenceOf = ({ end }: Sent, expected: readonly string[], recorded: Recorded | undefined): string | null => {
  if (recorded === undefined) return `ended as “${end}” and was never received`;
  const told = `${recorded.status} ${recorded.outcome} for the program`;
  if (!expected.includes(end)) return `ended as “${end}” instead of ${expected.join(" or ")}; it is ${told}`;
  return agrees(end, recorded) ? null : `ended as “${end}” for its client, and is ${told}`;
};

export type Comparison = { readonly sent: number; readonly ends: Readonly<Counts>; readonly differences: readonly string[] };

/** Each request of the clients' file has an end that its kind may have, and the program says the same of it. */
export const compare = async (file: string, kinds: readonly Kind[], recording: Recording): Promise<Comparison> => {
  const expected = new Map(kinds.map(({ name, ends }) => [name, ends]));
  const ends: Counts = {};
  const differences = createDifferences();
  let sent = 0;
  for await (const line of linesOf(file)) {
    const one = JSON.parse(line) as Sent;
    const recorded = recording.bySession.get(one.id);
    const difference = differenceOf(one, expected.get(one.kind) ?? [], recorded);
    sent += 1;
    count(ends, one.end);
    if (difference !== null) differences.add(`“${one.kind}” ${difference}`, recorded?.requestId ?? one.id);
  }
  return { sent, ends, differences: differences.sentences() };
};

/** Sum over all labels of one metric. */
export const metricSum = (text: string, name: string): number =>
  [...text.matchAll(new RegExp(`^claude_oauth_proxy_${name}(?:\\{.*\\})? (\\S+)$`, "gm"))].reduce((sum, [, value]) => sum + Number(value), 0);
