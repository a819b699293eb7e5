// Reads what the upstream itself says went wrong, from a bounded copy of its error body. Pure; the text is
// made harmless here, at the edge where it comes in: for a terminal, and for who reads the events.
import type { Secret } from "../lib/secret.ts";
import { visibleText } from "../lib/visible-text.ts";
import { withoutSecrets } from "../lib/redact.ts";

/** The upstream's own words. */
export type UpstreamError = { readonly type: string | null; readonly message: string | null };

const nothing: UpstreamError = { type: null, message: null };

/**
 * Understands the Messages API's envelope (`error` is an object) and OAuth's (RFC 6749 section 5.2: `error` is a
 * string). Anything else, such as the HTML of a CDN, gives nulls. `sent` are the secrets of the request: a
 * sentence that quotes one has stars there.
 */
export const readUpstreamError = (body: string, sent: readonly Secret[] = []): UpstreamError => {
  const parsed = record(parse(body));
  if (parsed === null) return nothing;
  const text = (value: unknown, limit?: number): string | null =>
    typeof value === "string" && value !== "" ? visibleText(withoutSecrets(value, sent), limit) : null;
  const error = record(parsed["error"]);
  if (error !== null) return { type: text(error["type"], 64), message: text(error["message"]) };
  return { type: text(parsed["error"], 64), message: text(parsed["error_description"]) };
};

const parse = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
};

const record = (value: unknown): Readonly<Record<string, unknown>> | null =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : null;
