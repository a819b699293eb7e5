// How this program answers for itself: JSON, text, pages, and errors in the Messages API's envelope.
// Never used for bytes that come from upstream; never says more than the caller handed in.
import type { ServerResponse } from "node:http";
import type { RawHeaders } from "../lib/http-fields.ts";
import { meaningOf } from "../messages/errors.ts";
import type { ErrorCode } from "../messages/errors.ts";

/** Why a request is not served. `message` and `hint` are sentences for the client, safe to show. */
export type Refusal = {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly message: string;
  /** What to do next; becomes the second sentence of the message. */
  readonly hint?: string;
  readonly retryAfterSeconds?: number;
  /** Further members of the error, for a program. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** For 405: the methods of this path (RFC 9110 section 15.5.6). */
  readonly allow?: string;
};

export const refusal = (code: ErrorCode, message: string, hint?: string): Refusal => ({ ok: false, code, message, ...(hint === undefined ? {} : { hint }) });

/** An answer that is complete before its first byte goes out. */
export type OwnAnswer = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string };

/** Every answer of ours is fresh, and no browser may guess its type. */
export const plainHeaders = { "cache-control": "no-store", "x-content-type-options": "nosniff" } as const;

type OwnError = Omit<Refusal, "ok"> & { readonly requestId: string };

/**
 * The envelope `{"type":"error","error":{"type","message"},"request_id"}` (platform docs, API errors) with
 * `x-claude-oauth-proxy-error`, by which a client tells our errors from the upstream's.
 */
export const errorAnswer = ({ code, message, hint, requestId, retryAfterSeconds, allow, fields }: OwnError): OwnAnswer => {
  const { status, type } = meaningOf(code);
  const sentence = hint === undefined ? message : `${message} ${hint}`;
  return {
    status,
    headers: {
      ...plainHeaders,
      "content-type": "application/json",
      "x-claude-oauth-proxy-error": code,
      "request-id": requestId,
      ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
      ...(allow === undefined ? {} : { allow }),
    },
    body: `${JSON.stringify({ type: "error", error: { type, message: sentence, ...fields }, request_id: requestId })}\n`,
  };
};

/**
 * Sends our own error. Fields that were set on `response` before are kept. When an answer has already begun the
 * connection is destroyed: a cut must never look like a complete message (RFC 9112 section 8).
 */
export const respondError = (response: ServerResponse, error: OwnError): void => send(response, errorAnswer(error));

/** `value` as JSON. */
export const respondJson = (response: ServerResponse, status: number, value: unknown): void => {
  send(response, { status, headers: { ...plainHeaders, "content-type": "application/json" }, body: `${JSON.stringify(value)}\n` });
};

/** Plain text, or another text type such as the Prometheus format. */
export const respondText = (response: ServerResponse, status: number, body: string, contentType = "text/plain; charset=utf-8"): void => {
  send(response, { status, headers: { ...plainHeaders, "content-type": contentType }, body });
};

/**
 * A page that loads nothing from anywhere: only the style and the script that carry `nonce` run, it can
 * be put in no frame, and no address of ours leaves as a Referer.
 */
export const htmlAnswer = (status: number, page: { readonly html: string; readonly nonce: string }): OwnAnswer => ({
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
export const respondHtml = (response: ServerResponse, status: number, page: { readonly html: string; readonly nonce: string }): void => send(response, htmlAnswer(status, page));

/** An answer without a body (204, 302 …) and the headers that make its sense. */
export const respondEmpty = (response: ServerResponse, status: number, headers: Readonly<Record<string, string>> = {}): void => {
  if (canAnswer(response)) response.writeHead(status, { ...plainHeaders, ...headers }).end();
};

/** Sets `fields` for whatever answer follows. */
export const setHeaders = (response: ServerResponse, fields: RawHeaders): void => {
  for (let index = 0; index + 1 < fields.length; index += 2) response.setHeader(fields[index] ?? "", fields[index + 1] ?? "");
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

/** Sends an answer whole. Does nothing once the response is over, and destroys one that has begun. */
export const send = (response: ServerResponse, { status, headers, body }: OwnAnswer): void => {
  if (canAnswer(response)) response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) }).end(body);
};

const canAnswer = (response: ServerResponse): boolean => {
  if (response.headersSent && !response.writableEnded) response.destroy();
  return !response.headersSent && !response.destroyed;
};
