// Reads what the upstream itself says went wrong, from a bounded copy of its error body. Pure; the text is
// made harmless for a terminal here, at the edge where it comes in.
import { visibleText } from "../lib/visible-text.ts";

/** The upstream's own words. */
export type UpstreamError = { readonly type: string | null; readonly message: string | null };

const nothing: UpstreamError = { type: null, message: null };

/**
 * Understands the Messages API's envelope (`error` is an object) and OAuth's (RFC 6749 section 5.2: `error` is a
 * string). Anything else, such as the HTML of a CDN, gives nulls.
 */
export const readUpstreamError = (body: string): UpstreamError => {
  const parsed = record(parse(body));
  if (parsed === null) return nothing;
  const error = record(parsed["error"]);
  if (error !== null) return { type: word(error["type"]), message: sentence(error["message"]) };
  return { type: word(parsed["error"]), message: sentence(parsed["error_description"]) };
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

const word = (value: unknown): string | null => (typeof value === "string" && value !== "" ? visibleText(value, 64) : null);
const sentence = (value: unknown): string | null => (typeof value === "string" && value !== "" ? visibleText(value) : null);
