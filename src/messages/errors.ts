// The one kind of failure that crosses folders, and the one table of what each means outside.

/** What the outside sees for one code: HTTP answer (Messages API error type), exit code, tone on screen. */
type Meaning = { readonly status: number; readonly type: string; readonly exit: number; readonly tone: "warning" | "error" };

const meaning = (status: number, type: string, exit = 1, tone: Meaning["tone"] = "error"): Meaning => ({ status, type, exit, tone });

/**
 * Code → meaning. Types are those of the Messages API (platform docs, API errors); codes are ours and
 * go out as `x-claude-oauth-proxy-error`.
 */
export const meanings = {
  "bad-request": meaning(400, "invalid_request_error"),
  "unsupported-media-type": meaning(415, "invalid_request_error"),
  "local-key": meaning(401, "authentication_error"),
  "foreign-host": meaning(403, "permission_error"),
  "foreign-origin": meaning(403, "permission_error"),
  "not-found": meaning(404, "not_found_error"),
  "method-not-allowed": meaning(405, "invalid_request_error"),
  "request-timeout": meaning(408, "timeout_error"),
  conflict: meaning(409, "conflict_error"),
  "too-large": meaning(413, "request_too_large"),
  "expectation-failed": meaning(417, "invalid_request_error"),
  "rate-limited": meaning(429, "rate_limit_error", 1, "warning"),
  "headers-too-large": meaning(431, "request_too_large"),
  internal: meaning(500, "api_error"),
  "upstream-unreachable": meaning(502, "api_error"),
  "upstream-broken": meaning(502, "api_error"),
  "sign-in-needed": meaning(503, "authentication_error", 3),
  "shutting-down": meaning(503, "api_error", 1, "warning"),
  "upstream-timeout": meaning(504, "timeout_error"),
  "bad-usage": meaning(400, "invalid_request_error", 2),
  "bad-config": meaning(500, "api_error", 2),
  "port-taken": meaning(500, "api_error", 4),
  "unproven-port": meaning(500, "api_error"),
  "bad-paste": meaning(400, "invalid_request_error", 1, "warning"),
  "login-failed": meaning(502, "authentication_error", 1),
  "login-expired": meaning(410, "authentication_error", 1, "warning"),
  "refresh-failed": meaning(502, "authentication_error", 1),
  "store-unreadable": meaning(500, "api_error"),
  "store-unwritable": meaning(500, "api_error"),
  "store-locked": meaning(503, "api_error", 1, "warning"),
  "store-sealed": meaning(500, "api_error"),
  "unknown-account": meaning(404, "not_found_error", 1),
  "unsafe-settings": meaning(500, "api_error", 2),
  "no-terminal": meaning(500, "api_error", 2),
} as const satisfies Record<string, Meaning>;

export type ErrorCode = keyof typeof meanings;

/**
 * What an `AppError` is made of. `message` and `hint` are safe to print: never a secret, never a body. `fields` are for a
 * program that asked over HTTP, beside the sentences.
 */
export type ErrorParts = { readonly code: ErrorCode; readonly message: string; readonly hint?: string; readonly cause?: unknown; readonly fields?: Readonly<Record<string, unknown>> };

/**
 * A failure with a stable code, a sentence for people that names the input and the reason, and a hint
 * that says what to do next.
 */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly fields: Readonly<Record<string, unknown>> | undefined;

  constructor({ code, message, hint, cause, fields }: ErrorParts) {
    super(message, { cause });
    this.code = code;
    this.hint = hint;
    this.fields = fields;
  }
}

/** HTTP status, Messages API error type, exit code and tone of `code`. */
export const meaningOf = (code: ErrorCode): Meaning => meanings[code];
