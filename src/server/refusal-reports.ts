// Tells the rest of the program what was refused. Requests for `/v1/*` are traffic: each is one row. The
// others are probing pages and slips of the finger: one notice in a while, so that nobody floods the screen.
import type { Clock } from "../lib/clock.ts";
import { visibleText } from "../lib/visible-text.ts";
import type { Publish } from "../messages/bus.ts";
import { meaningOf } from "../messages/errors.ts";
import { isForwarded } from "./admission.ts";
import { receivedEvent, shownPath } from "./request-info.ts";
import type { RequestInfo } from "./request-info.ts";
import type { Refusal } from "./respond.ts";

export type RefusalReports = {
  /** A refusal of a request that nobody has heard of; `info` is null when it could not be parsed. */
  refused(info: RequestInfo | null, requestId: string, refusal: Refusal): void;
  /** A refusal of a request whose `request.received` is out already. */
  rejected(requestId: string, refusal: Refusal): void;
  /** The listener itself failed to take a connection, for want of descriptors for example; it goes on listening. */
  troubled(error: NodeJS.ErrnoException): void;
};

/** Ordinary answers to ordinary mistakes: no reason to call anybody. */
const quiet: ReadonlySet<string> = new Set(["not-found", "method-not-allowed"]);

const pauseMs = 10_000;

export const createRefusalReports = ({ publish, clock }: { readonly publish: Publish; readonly clock: Pick<Clock, "monotonic"> }): RefusalReports => {
  let quietUntil = -Infinity;
  let held = 0;

  const rejected = (requestId: string, { code, message }: Refusal): void =>
    publish({ type: "request.rejected", requestId, status: meaningOf(code).status, code, message });

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
    refused(info, requestId, refusal) {
      if (info !== null && isForwarded(info)) {
        publish(receivedEvent(info, requestId));
        rejected(requestId, refusal);
      } else if (!quiet.has(refusal.code)) notice(refusal.code, `${describe(info)} was refused: ${refusal.message}`, refusal.hint ?? null);
    },
    troubled: ({ code = "unknown error" }) => notice("listener", `A connection could not be taken (${code}).`, "Too many open files or connections; see `ulimit -n`."),
  };
};

const describe = (info: RequestInfo | null): string => {
  if (info === null) return "A connection";
  const from = info.fields.origin === null ? "" : ` from ${visibleText(info.fields.origin, 80)}`;
  return `${visibleText(info.method, 20)} ${shownPath(info.target, 80)} (Host ${visibleText(info.fields.host, 80)})${from}`;
};
