// How this program answers for itself: JSON, text, pages, and errors in the Messages API's envelope.
// Never used for bytes that come from upstream; never says more than the caller handed in.
import type { HttpResponse } from "../http/response.ts";
import { meaningOf } from "../messages/errors.ts";
import type { ErrorCode } from "../messages/errors.ts";

/** One of our own errors on its way out. `message` and `hint` are safe to show. */
export type Refusal = {
  readonly code: ErrorCode;
  readonly message: string;
  /** What to do next; becomes the second sentence of the message. */
  readonly hint?: string;
  readonly requestId: string;
  readonly retryAfterSeconds?: number;
  /** For 405: the methods there are (RFC 9110 section 15.5.6). */
  readonly allow?: string;
};

/** An answer that is complete before its first byte goes out. */
export type Answer = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string };

/** Every answer of ours is fresh, and no browser may guess its type. */
const plainHeaders = { "cache-control": "no-store", "x-content-type-options": "nosniff" } as const;

/**
 * The envelope `{"type":"error","error":{"type","message"},"request_id"}` (platform docs, API errors) with
 * `x-claude-oauth-proxy-error`, by which a client tells our errors from the upstream's.
 */
export const errorAnswer = ({ code, message, hint, requestId, ...extra }: Refusal): Answer => {
  const { status, type } = meaningOf(code);
  const sentence = hint === undefined ? message : `${message} ${hint}`;
  return {
    status,
    headers: {
      ...plainHeaders,
      "content-type": "application/json",
      "x-claude-oauth-proxy-error": code,
      "request-id": requestId,
      ...(extra.retryAfterSeconds === undefined ? {} : { "retry-after": String(extra.retryAfterSeconds) }),
      ...(extra.allow === undefined ? {} : { allow: extra.allow }),
    },
    body: `${JSON.stringify({ type: "error", error: { type, message: sentence }, request_id: requestId })}\n`,
  };
};

/**
 * Sends our own error. Fields added to `response` before are kept. When an answer has already begun the
 * socket is destroyed: a cut must never look like a complete message (RFC 9112 section 8).
 */
export const respondError = (response: HttpResponse, refusal: Refusal): void => {
  send(response, errorAnswer(refusal));
};

/** `value` as JSON. */
export const respondJson = (response: HttpResponse, status: number, value: unknown): void => {
  send(response, { status, headers: { ...plainHeaders, "content-type": "application/json" }, body: `${JSON.stringify(value)}\n` });
};

/** Plain text, or another text type such as the Prometheus format. */
export const respondText = (response: HttpResponse, status: number, body: string, contentType = "text/plain; charset=utf-8"): void => {
  send(response, { status, headers: { ...plainHeaders, "content-type": contentType }, body });
};

/**
 * A page that loads nothing from anywhere: only the style and the script that carry `nonce` run, it can
 * be put in no frame, and no address of ours leaves as a Referer.
 */
export const htmlAnswer = (status: number, page: { readonly html: string; readonly nonce: string }): Answer => ({
  status,
  headers: {
    ...plainHeaders,
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": pagePolicy(page.nonce),
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
  },
  body: page.html,
});

/** Sends an `htmlAnswer`. */
export const respondHtml = (response: HttpResponse, status: number, page: { readonly html: string; readonly nonce: string }): void => {
  send(response, htmlAnswer(status, page));
};

/** An answer without a body (204, 302 …) and the headers that make its sense. */
export const respondEmpty = (response: HttpResponse, status: number, headers: Readonly<Record<string, string>> = {}): void => {
  if (!canAnswer(response)) return;
  response.writeHead(status, Object.entries({ ...plainHeaders, ...headers }).flat());
  response.end();
};

const pagePolicy = (nonce: string): string =>
  [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");

/** Sends `answer` whole. Does nothing once the response is over, and destroys one that has begun. */
export const send = (response: HttpResponse, { status, headers, body }: Answer): void => {
  if (!canAnswer(response)) return;
  const bytes = Buffer.from(body);
  response.writeHead(status, [...Object.entries(headers).flat(), "content-length", String(bytes.length)]);
  response.end(bytes);
};

const canAnswer = (response: HttpResponse): boolean => {
  if (response.headSent) response.destroy();
  return !response.headSent && !response.isClosed;
};
