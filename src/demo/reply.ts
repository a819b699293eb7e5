// What an endpoint gets and what it answers, before it is decided how the bytes travel.

export type Header = readonly [name: string, value: string];

/** `events` are complete server-sent events, each with its final blank line; `parts` are such a stream compressed. */
export type Body =
  | { readonly kind: "bytes"; readonly bytes: Buffer }
  | { readonly kind: "events"; readonly events: readonly string[] }
  | { readonly kind: "parts"; readonly parts: readonly Buffer[] };

/** A whole answer. */
export type Reply = { readonly status: number; readonly headers: readonly Header[]; readonly body: Body };

/** One request as the endpoints see it. */
export type SimulatedRequest = {
  readonly requestId: string;
  readonly method: string;
  /** The target without its query, as it came. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
};

/** One header's value; repeated ones joined as RFC 9110 section 5.3 allows. */
export const headerOf = ({ headers }: Pick<SimulatedRequest, "headers">, name: string): string | null => {
  const value = headers[name];
  return value === undefined ? null : [value].flat().join(", ");
};

export const bytesReply = (status: number, type: string, text: string, headers: readonly Header[] = []): Reply => ({
  status,
  headers: [["content-type", type], ...headers],
  body: { kind: "bytes", bytes: Buffer.from(text) },
});

export const jsonReply = (status: number, value: unknown, headers: readonly Header[] = []): Reply =>
  bytesReply(status, "application/json", JSON.stringify(value), headers);

/** Status → type of the error object (platform documentation, API errors). */
const types: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  405: "invalid_request_error",
  408: "timeout_error",
  409: "conflict_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  504: "timeout_error",
  529: "overloaded_error",
};

export type ApiError = { readonly status: number; readonly message: string; readonly type?: string };

/** Anthropic's envelope, `{"type":"error","error":{"type","message"},"request_id"}`. */
export const errorReply = (requestId: string, { status, message, type }: ApiError, headers: readonly Header[] = []): Reply => {
  const fallback = status < 500 ? "invalid_request_error" : "api_error";
  return jsonReply(status, { type: "error", error: { type: type ?? types[status] ?? fallback, message }, request_id: requestId }, headers);
};
