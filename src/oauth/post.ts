// One POST to the authorization server: bounded in time and size, never redirected, and honest about whether anything was
// sent. It must never put what it sends into an error.
import type { Clock } from "../lib/clock.ts";
import { isLoopback } from "../lib/host.ts";
import { mediaTypeOf, retryAfterMs } from "../lib/http-fields.ts";
import { explainFailure, networkFailure } from "../lib/network-failure.ts";
import { visibleText } from "../lib/visible-text.ts";

export type PostDeps = {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  /** For the whole exchange, body included (30 s in Anthropic's own clients). */
  readonly timeoutMs: number;
  /** `claude-oauth-proxy/<version>`: our own calls carry our own name. */
  readonly userAgent: string;
};

export type PostRequest = { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly body: string };

export type Answered = {
  readonly sent: "answered";
  readonly status: number;
  /** Null when it was cut off or longer than 1 MiB. */
  readonly text: string | null;
  readonly contentType: string;
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;
};

export type Posted =
  | Answered
  /** Certainly not executed. */
  | { readonly sent: "no"; readonly code: string; readonly message: string }
  /** Sent, and then the connection or the time limit ended. */
  | { readonly sent: "maybe"; readonly code: string; readonly message: string };

export type Post = (request: PostRequest) => Promise<Posted>;

/** The longest sentence of the server that is passed on, in UTF-16 units. */
export const longestSentence = 2000;

const longestBody = 1024 * 1024;

/** Never throws; a redirect comes back as an answer, because following it would carry a credential elsewhere. */
export const createPost = ({ fetch, clock, timeoutMs, userAgent }: PostDeps): Post => async ({ url, headers, body }) => {
  const refusal = unsafeUrl(url);
  if (refusal !== null) return { sent: "no", code: "insecure-url", message: refusal };
  const limit = new AbortController();
  const timer = clock.setTimeout(() => limit.abort(), timeoutMs);
  try {
    const response = await fetch(url, { method: "POST", headers: { accept: "application/json", "user-agent": userAgent, ...headers }, body, redirect: "manual", signal: limit.signal });
    return await answered(response, clock.now());
  } catch (error) {
    return limit.signal.aborted ? timedOut(url, timeoutMs) : failed(error, hostOf(url));
  } finally {
    timer.cancel();
  }
};

/** RFC 6749 section 3.2: the token endpoint requires TLS. Loopback is for tests and the demo. */
const unsafeUrl = (text: string): string | null => {
  const url = URL.parse(text);
  if (url === null) return "The configured address of the authorization server is not a URL.";
  if (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname))) return null;
  return `${visibleText(url.host, 100)} is not reached over https; nothing was sent.`;
};

const answered = async ({ status, headers, body }: Response, now: number): Promise<Answered> => ({
  sent: "answered",
  status,
  text: await readBounded(body),
  contentType: visibleText(mediaTypeOf(headers.get("content-type")), 60),
  requestId: visibleText(headers.get("request-id") ?? "", 80) || null,
  retryAfterMs: retryAfterMs(headers.get("retry-after"), now),
});

/** Null when the body is longer than 1 MiB or breaks off: half an answer is no answer. */
const readBounded = async (body: Response["body"]): Promise<string | null> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body ?? []) {
      size += chunk.byteLength;
      if (size > longestBody) return null;
      chunks.push(chunk);
    }
  } catch {
    return null;
  }
  return Buffer.concat(chunks).toString("utf8");
};

const timedOut = (url: string, timeoutMs: number): Posted => ({
  sent: "maybe",
  code: "timeout",
  message: `${hostOf(url)} did not answer within ${Math.round(timeoutMs / 1000)} s.`,
});

const failed = (error: unknown, server: string): Posted => {
  const failure = networkFailure(error);
  const sent = !failure.neverSent;
  return { sent: sent ? "maybe" : "no", code: failure.code, message: explainFailure(failure, { server, sent }).message };
};

const hostOf = (url: string): string => visibleText(URL.parse(url)?.host ?? "", 100);
