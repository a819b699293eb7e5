// One POST to the authorization server: bounded in time and size, never redirected, and honest about
// whether anything was sent. It must never put what it sends into an error.
import type { Clock } from "../lib/clock.ts";
import { isLoopback } from "../lib/host.ts";
import { mediaTypeOf, retryAfterMs } from "../lib/http-fields.ts";
import { explainFailure, networkFailure } from "../lib/network-failure.ts";
import { visibleText } from "../lib/visible-text.ts";
import { readBounded } from "./read-bounded.ts";

/** The part of `fetch` that is used; both the global one and undici's fit. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>;

export type FetchInit = {
  readonly method: "POST";
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly redirect: "manual";
  readonly signal: AbortSignal;
};

export type FetchAnswer = {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: { getReader(): BodyReader } | null;
};

export type BodyReader = {
  read(): Promise<{ readonly done: boolean; readonly value?: unknown }>;
  cancel(): Promise<void>;
};

export type PostDeps = {
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** For the whole exchange, body included. */
  readonly timeoutMs: number;
  /** `claude-oauth-proxy/<version>`: our own calls pretend to be nobody else. */
  readonly userAgent: string;
};

export type PostRequest = { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly body: string };

export type Posted =
  | {
      readonly sent: "answered";
      readonly status: number;
      /** Null when it was cut off or longer than 1 MiB. */
      readonly text: string | null;
      readonly contentType: string;
      readonly requestId: string | null;
      readonly retryAfterMs: number | null;
    }
  /** Certainly not executed. */
  | { readonly sent: "no"; readonly code: string; readonly message: string }
  /** Sent, and then the connection or the patience ended. */
  | { readonly sent: "maybe"; readonly code: string; readonly message: string };

export type Post = (request: PostRequest) => Promise<Posted>;

/** Never throws; a redirect comes back as an answer, because following it would carry a credential elsewhere. */
export const createPost = (deps: PostDeps): Post => async (request) => {
  const refusal = unsafeUrl(request.url);
  if (refusal !== null) return { sent: "no", code: "insecure-url", message: refusal };
  const patience = new AbortController();
  const timer = deps.clock.setTimeout(() => patience.abort(), deps.timeoutMs);
  try {
    const answer = await deps.fetch(request.url, init(request, deps.userAgent, patience.signal));
    return await answered(answer, deps.clock.now());
  } catch (error) {
    return patience.signal.aborted ? timedOut(request.url, deps.timeoutMs) : failed(error, hostOf(request.url));
  } finally {
    timer.cancel();
  }
};

const init = (request: PostRequest, userAgent: string, signal: AbortSignal): FetchInit => ({
  method: "POST",
  headers: { accept: "application/json", "user-agent": userAgent, ...request.headers },
  body: request.body,
  redirect: "manual",
  signal,
});

/** RFC 6749 section 3.2: the token endpoint requires TLS. Loopback is for tests and the demo. */
const unsafeUrl = (text: string): string | null => {
  const url = URL.parse(text);
  if (url === null) return "The configured address of the authorization server is not a URL.";
  if (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname))) return null;
  return `${visibleText(url.host, 100)} is not reached over https; nothing was sent.`;
};

const hostOf = (url: string): string => visibleText(URL.parse(url)?.host ?? "", 100);

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

const answered = async (answer: FetchAnswer, now: number): Promise<Posted> => ({
  sent: "answered",
  status: answer.status,
  text: answer.body === null ? "" : await readBounded(answer.body.getReader()),
  contentType: visibleText(mediaTypeOf(answer.headers.get("content-type")), 60),
  requestId: visibleText(answer.headers.get("request-id") ?? "", 80) || null,
  retryAfterMs: retryAfterMs(answer.headers.get("retry-after"), now),
});
