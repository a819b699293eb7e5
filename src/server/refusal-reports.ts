// Publishes what was refused. A request for `/v1/*` is traffic and gets a row of its own; all others are probing pages and
// slips of the finger, and get a notice. Who has no key can send thousands: after the first few of a kind they are counted,
// and the count is published with the latest one, so that no flood fills the rows, the log or the recording.
import type { Clock, Timer } from "../lib/clock.ts";
import { visibleText } from "../lib/visible-text.ts";
import type { Publish } from "../messages/bus.ts";
import { meaningOf } from "../messages/errors.ts";
import { isForwarded } from "./admission.ts";
import { receivedEvent, shownPath } from "./request-info.ts";
import type { RequestInfo } from "./request-info.ts";
import type { Refusal } from "./respond.ts";

export type RefusalReports = {
  /** A refusal of a request that no event has named; `info` is null when it could not be parsed. */
  refused(info: RequestInfo | null, requestId: string, refusal: Refusal): void;
  /** A refusal of a request whose `request.received` is out already. */
  rejected(requestId: string, refusal: Refusal): void;
  /** The listener itself failed to take a connection, for want of descriptors for example; it goes on listening. */
  troubled(error: NodeJS.ErrnoException): void;
  /** Publishes what is only counted so far. */
  flush(): void;
};

/** Ordinary answers to ordinary mistakes: no reason to call anybody. */
const quiet: ReadonlySet<string> = new Set(["not-found", "method-not-allowed"]);

/** Of one kind, until there were none for ten seconds. */
const mostRows = 5;
const mostNotices = 1;

export const createRefusalReports = ({ publish, clock }: { readonly publish: Publish; readonly clock: Pick<Clock, "setTimeout"> }): RefusalReports => {
  const floods = new Map<string, Flood>();

  /** `tell` gets how many it stands for. */
  const report = (kind: string, most: number, tell: (count: number) => void): void => {
    const flood = floods.get(kind) ?? createFlood(clock, most);
    floods.set(kind, flood);
    flood.take(tell);
  };

  const rejected = (requestId: string, { code, message }: Refusal, count = 1): void =>
    publish({ type: "request.rejected", requestId, status: meaningOf(code).status, code, message: withCount(message, count), ...(count === 1 ? {} : { count }) });

  const row = (info: RequestInfo, requestId: string, refusal: Refusal): void =>
    report(`row ${refusal.code}`, mostRows, (count) => {
      publish(receivedEvent(info, requestId));
      rejected(requestId, refusal, count);
    });

  const notice = (code: string, message: string, hint: string | null): void =>
    report(`notice ${code}`, mostNotices, (count) => publish({ type: "notice", level: "warning", code, message: withCount(message, count), hint }));

  return {
    rejected,
    refused(info, requestId, refusal) {
      if (info !== null && isForwarded(info)) row(info, requestId, refusal);
      else if (!quiet.has(refusal.code)) notice(refusal.code, `${describe(info)} was refused: ${refusal.message}`, refusal.hint ?? null);
    },
    troubled: ({ code = "unknown error" }) => notice("listener", `A connection could not be taken (${code}).`, "Too many open files or connections; see `ulimit -n`."),
    flush() {
      for (const flood of floods.values()) flood.flush();
    },
  };
};

const withCount = (message: string, count: number): string => (count === 1 ? message : `${message} (${count - 1} more like this before)`);

type Flood = {
  /** Calls `tell` at once, or later with the number of those that were taken meanwhile, or not at all. */
  take(tell: (count: number) => void): void;
  flush(): void;
};

/** Between two reports of one flood; doubled as long as it goes on. */
const shortestPauseMs = 10_000;
const longestPauseMs = 160_000;

const createFlood = (clock: Pick<Clock, "setTimeout">, most: number): Flood => {
  let told = 0;
  let held = 0;
  let latest: ((count: number) => void) | null = null;
  let pauseMs = shortestPauseMs;
  let timer: Timer | null = null;

  const flush = (): void => {
    const [tell, count] = [latest, held];
    latest = null;
    held = 0;
    tell?.(count);
  };

  const endPause = (): void => {
    const isOver = latest === null;
    flush();
    told = isOver ? 0 : told;
    pauseMs = isOver ? shortestPauseMs : Math.min(longestPauseMs, pauseMs * 2);
    timer = isOver ? null : clock.setTimeout(endPause, pauseMs);
  };

  return {
    take(tell) {
      timer ??= clock.setTimeout(endPause, pauseMs);
      if (told < most) {
        told += 1;
        return tell(1);
      }
      held += 1;
      latest = tell;
    },
    flush,
  };
};

const describe = (info: RequestInfo | null): string => {
  if (info === null) return "A connection";
  const from = info.fields.origin === null ? "" : ` from ${visibleText(info.fields.origin, 80)}`;
  return `${visibleText(info.method, 20)} ${shownPath(info.target, 80)} (Host ${visibleText(info.fields.host, 80)})${from}`;
};
