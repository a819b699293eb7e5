// What an error body says. One reading for the upstream and the authorization server, because either may answer in both
// shapes. Pure. The text comes from outside: it is bounded, made harmless for a terminal and cleared of secrets here.
import { isObject, parseJsonObject } from "./json.ts";
import type { Secret } from "./secret.ts";
import { visibleText } from "./visible-text.ts";
import { withoutSecrets } from "./redact.ts";

/** `shape` is `api` for the Messages API's envelope, `oauth` for RFC 6749 section 5.2, null for everything else. */
export type ErrorBody = {
  readonly shape: "api" | "oauth" | null;
  /** The machine-readable name, such as `overloaded_error` or `invalid_grant`. */
  readonly type: string | null;
  /** The server's sentence; for `oauth` followed by its `error_uri`. */
  readonly message: string | null;
  readonly requestId: string | null;
};

export type ErrorBodyOptions = {
  /** Secrets of the request: a sentence that quotes one has stars in its place. */
  readonly sent?: readonly Secret[];
  /** The longest message, in UTF-16 units. */
  readonly longest?: number;
};

const nothing: ErrorBody = { shape: null, type: null, message: null, requestId: null };

/**
 * Understands `{type: "error", error: {type, message}, request_id}` and `{error, error_description, error_uri}`. Other
 * JSON, HTML and plain text give nulls: only these members are shown, and never the rest of a body.
 */
export const readErrorBody = (body: string | null, { sent = [], longest = 300 }: ErrorBodyOptions = {}): ErrorBody => {
  const answer = parseJsonObject(body ?? "");
  if (answer === null) return nothing;
  const text = (value: unknown, limit: number): string | null =>
    typeof value === "string" && value !== "" ? visibleText(withoutSecrets(value, sent), limit) : null;
  const { error } = answer;
  const requestId = text(answer["request_id"], 80);
  if (isObject(error)) return { shape: "api", type: text(error["type"], 80), message: text(error["message"], longest), requestId };
  const type = text(error, 80);
  if (type === null) return nothing;
  const message = text(answer["error_description"], longest);
  const uri = text(answer["error_uri"], longest);
  return { shape: "oauth", type, message: uri === null ? message : visibleText(`${message ?? type} (${uri})`, longest), requestId };
};
