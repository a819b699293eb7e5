// One event as one line: text for people, JSON for programs. No line can move a cursor, break into two
// lines or hide text, whatever the event carries.
import { visibleText } from "../lib/visible-text.ts";
import type { Event } from "../messages/events.ts";
import { asciiJson } from "./ascii-json.ts";
import { levelOf } from "./level.ts";
import { dateTime } from "../lib/units.ts";
import { redactRecord } from "../lib/redact.ts";
import type { Redact } from "../lib/redact.ts";
import { sentence } from "./sentence.ts";

/**
 * An event to one line without a line feed. `see` is for the events whose line is not written: a format
 * that needs what they say remembers it, and none of them costs a line.
 */
export type Format = ((event: Event) => string) & { readonly see?: (event: Event) => void };

/** Longest text line; a blame line with an upstream's sentence fits. */
const lineLimit = 1000;

/** More open requests than a proxy can have sockets for; the oldest is forgotten first. */
const mostOpen = 20_000;

/** `2026-01-02 12:00:00 warn  …` in local time. A request's last line names its method and path again. */
export const createTextFormat = (redact: Redact): Format => {
  const open = new Map<string, string>();
  const begin = (event: Event): void => {
    if (event.type === "request.received") remember(open, event.requestId, `${event.method} ${event.path}`);
  };
  const end = (event: Event): void => {
    if (event.type === "request.finished" || event.type === "request.rejected") open.delete(event.requestId);
  };
  const see = (event: Event): void => {
    begin(event);
    end(event);
  };
  const format = (event: Event): string => {
    begin(event);
    const about = "requestId" in event ? (open.get(event.requestId) ?? null) : null;
    end(event);
    return visibleText(`${dateTime(event.at)} ${levelOf(event).padEnd(5)} ${redact(sentence(event, about))}`, lineLimit);
  };
  return Object.assign(format, { see });
};

/** The record with its level, in pure ASCII. */
export const createJsonFormat =
  (redact: Redact): Format =>
  (event) =>
    `${formatRecord(event, redact).slice(0, -1)},"level":"${levelOf(event)}"}`;

/** Any flat record as one line of pure ASCII JSON. */
export const formatRecord = (record: Readonly<Record<string, unknown>>, redact: Redact): string =>
  asciiJson(redactRecord(record, redact));

const remember = (open: Map<string, string>, id: string, about: string): void => {
  open.set(id, about);
  const [oldest] = open.keys();
  if (open.size > mostOpen && oldest !== undefined) open.delete(oldest);
};
