// Tells the rest of the program what was refused. Requests for `/v1/*` are traffic: each is one row. The
// others are probing pages and slips of the finger: one notice in a while, so that nobody floods the screen.
import type { Clock } from "../lib/clock.ts";
import { visibleText } from "../lib/visible-text.ts";
import type { Publish } from "../messages/bus.ts";
import { pathOf, receivedFact } from "./facts.ts";
import type { Denied, Head } from "./verdict.ts";

export type RefusalReports = {
  /** A refusal of a request that nobody has heard of; `head` is null when it could not be parsed. */
  refused(head: Head | null, requestId: string, denied: Denied): void;
  /** A refusal of a request whose `request.received` is out already. */
  rejected(requestId: string, denied: Denied): void;
  /** The listener itself failed to take a connection, for want of descriptors for example; it goes on listening. */
  troubled(error: NodeJS.ErrnoException): void;
};

/** Ordinary answers to ordinary mistakes: no reason to call anybody. */
const quiet: ReadonlySet<string> = new Set(["not-found", "method-not-allowed"]);

const pauseMs = 10_000;

export const createRefusalReports = ({ publish, clock }: { readonly publish: Publish; readonly clock: Pick<Clock, "monotonic"> }): RefusalReports => {
  let quietUntil = -Infinity;
  let held = 0;

  const rejected = (requestId: string, { status, code, message }: Denied): void =>
    publish({ type: "request.rejected", requestId, status, code, message });

  const notice = (code: string, message: string, hint: string | null): void => {
    if (clock.monotonic() < quietUntil) {
      held += 1;
      return;
    }
    const more = held === 0 ? "" : ` (${held} more like this before)`;
    publish({ type: "notice", level: "warning", code, message: message + more, hint });
    held = 0;
    quietUntil = clock.monotonic() + pauseMs;
  };

  return {
    rejected,
    refused(head, requestId, denied) {
      if (head !== null && isTraffic(head)) {
        publish(receivedFact(head, requestId));
        rejected(requestId, denied);
      } else if (!quiet.has(denied.code)) notice(denied.code, `${describe(head)} was refused: ${denied.message}`, denied.hint ?? null);
    },
    troubled: ({ code = "unknown error" }) => notice("listener", `A connection could not be taken (${code}).`, "Too many open files or connections; see `ulimit -n`."),
  };
};

/** True for what would have been forwarded. */
export const isTraffic = ({ target }: Head): boolean => target.startsWith("/v1/");

const describe = (head: Head | null): string => {
  if (head === null) return "A connection";
  const from = head.inbound.origin === null ? "" : ` from ${visibleText(head.inbound.origin, 80)}`;
  return `${visibleText(head.method, 20)} ${visibleText(pathOf(head.target), 80)} (Host ${visibleText(head.inbound.host, 80)})${from}`;
};
