// One event as one line: text for people, JSON for programs. No line can move a cursor, break into two
// lines or hide text, whatever the event carries.
import { asciiJson } from "../lib/json.ts";
import { redactRecord } from "../lib/redact.ts";
import type { Redact } from "../lib/redact.ts";
import { dateTime } from "../lib/units.ts";
import { visibleText } from "../lib/visible-text.ts";
import { describe } from "../messages/describe.ts";
import type { DescribeContext } from "../messages/describe.ts";
import type { Event } from "../messages/events.ts";
import { levelOf } from "./level.ts";

/**
 * An event to one line without a line feed. `see` is for the events whose line is not written: a format
 * that needs what they say remembers it, and none of them costs a line.
 */
export type Format = ((event: Event) => string) & { readonly see?: (event: Event) => void };

/** Longest text line; a failure with the upstream's own sentence fits. */
const lineLimit = 1000;

/** More open requests than a proxy can have sockets for; the oldest is forgotten first. */
const mostOpen = 20_000;

/** `2026-01-02 12:00:00 warn  …` in local time. Every line about a request begins with its id, method and path. */
export const createTextFormat = (redact: Redact): Format => {
  const open = new Map<string, string>();
  // Gives the request's name for a line.
  const see = (event: Event): string => {
    if (!("requestId" in event)) return "";
    const { requestId: id } = event;
    if (event.type === "request.received") open.set(id, `${event.method} ${event.path}`);
    const about = open.get(id);
    if (event.type === "request.finished" || event.type === "request.rejected") open.delete(id);
    const [oldest] = open.size > mostOpen ? open.keys() : [];
    if (oldest !== undefined) open.delete(oldest);
    return about === undefined ? `${id}: ` : `${id} ${about}: `;
  };
  const format = (event: Event): string => {
    const { text, details } = describe(event, context);
    const line = `${see(event)}${text}${details === "" ? "" : ` (${details})`}`;
    return visibleText(`${dateTime(event.at)} ${levelOf(event).padEnd(5)} ${redact(line)}`, lineLimit);
  };
  return Object.assign(format, { see: (event: Event) => void see(event) });
};

// An account goes by its id: that is what the commands take.
const context: DescribeContext = {
  nameOf: (accountId) => accountId,
  signIn: (accountId) => `claude-oauth-proxy login --account ${accountId}`,
  request: null,
  outage: null,
};

/** The record with its level, in pure ASCII. */
export const createJsonFormat =
  (redact: Redact): Format =>
  (event) =>
    `${formatRecord(event, redact).slice(0, -1)},"level":"${levelOf(event)}"}`;

/** Any flat record as one line of pure ASCII JSON. */
export const formatRecord = (record: Readonly<Record<string, unknown>>, redact: Redact): string =>
  asciiJson(redactRecord(record, redact));
