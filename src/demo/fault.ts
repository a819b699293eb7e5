// Every way a test or the demo can make the simulated server misbehave, as plain values.
import type { Block } from "./answer.ts";
import type { Header } from "./reply.ts";
import type { End } from "./plan.ts";

/** Instead of the endpoint: it is not executed at all. */
export type InsteadFault =
  /** `body` is JSON unless it is text or bytes; the documented error body of `status` when left out. */
  | { readonly kind: "status"; readonly status: number; readonly message?: string; readonly body?: unknown; readonly headers?: readonly Header[] }
  /** 429 with the unified headers that say `rejected`, and `retry-after`. */
  | { readonly kind: "plan-limit"; readonly window?: "5h" | "7d" }
  /** 429 without any unified header: the server is busy, the plan is not used up. */
  | { readonly kind: "throttle"; readonly retryAfterSeconds?: number }
  | { readonly kind: "overloaded" }
  /** The HTML page of a CDN in front. */
  | { readonly kind: "cdn-html"; readonly status?: number }
  | { readonly kind: "redirect"; readonly location: string; readonly status?: number }
  /** RST before one byte was sent. */
  | { readonly kind: "refuse" }
  /** FIN before one byte was sent. */
  | { readonly kind: "hang-up" }
  /** Nothing at all until the client leaves. */
  | { readonly kind: "never" }
  /** The first byte of a status line, then nothing. */
  | { readonly kind: "one-byte" }
  /** Bytes that are no HTTP. */
  | { readonly kind: "garbage" }
  | { readonly kind: "unasked-upgrade" }
  /** These bytes as they are, instead of a head and a body. */
  | { readonly kind: "wire"; readonly bytes: string | Uint8Array; readonly end?: End }
  | RecordedFault;

/** A response as it was recorded elsewhere. Without a Content-Length it is sent chunked. */
export type RecordedFault = {
  readonly kind: "recorded";
  readonly status: number;
  readonly headers: readonly Header[];
  readonly chunks: readonly { readonly bytes: string | Uint8Array; readonly delayMs?: number }[];
  readonly end?: End;
};

/** The endpoint is executed, its answer changed. */
export type ReplyFault =
  /** What the model says in place of the echo, such as a `tool_use` block. */
  | { readonly kind: "answer"; readonly blocks: readonly Block[]; readonly stopReason?: string }
  /** Fields of a JSON answer replaced or left out: a grant without refresh token, a strange `expires_in`. */
  | { readonly kind: "json"; readonly set?: Readonly<Record<string, unknown>>; readonly omit?: readonly string[] }
  /** Further headers; bytes 0x80-0xFF go out as they are (latin1). */
  | { readonly kind: "headers"; readonly headers: readonly Header[] }
  /** `event: error` after `afterEvents` events (3 when left out) of a stream that began with 200. */
  | { readonly kind: "stream-error"; readonly type?: string; readonly message?: string; readonly afterEvents?: number }
  /** The stream ends after `message_delta`. */
  | { readonly kind: "no-message-stop" }
  /** A compressed body; a stream is flushed after each event. `wrong` labels plain bytes. */
  | { readonly kind: "encoding"; readonly encoding: "gzip" | "br" | "zstd"; readonly wrong?: boolean };

/** The endpoint is executed, its bytes travel badly. `afterBytes` counts bytes of the body. */
export type TravelFault =
  /** RST after that many bytes; 0 is right after the headers. */
  | { readonly kind: "reset"; readonly afterBytes: number }
  /** The endpoint did its work, and not one byte of the answer arrives. */
  | { readonly kind: "answer-lost" }
  /** A pause before the headers, or after that many bytes; for ever without `ms`. */
  | { readonly kind: "silence"; readonly afterBytes?: number; readonly ms?: number }
  | { readonly kind: "slow"; readonly bytes: number; readonly delayMs: number }
  /** The same bytes, cut at these offsets into separate writes. */
  | { readonly kind: "split"; readonly at: readonly number[]; readonly delayMs?: number }
  /** A clean FIN before the message is complete, by either framing. */
  | { readonly kind: "truncated"; readonly afterBytes: number }
  /** 103 Early Hints, then the answer. */
  | { readonly kind: "early-hints" }
  | { readonly kind: "two-content-lengths" }
  | { readonly kind: "length-and-chunked" }
  | { readonly kind: "trailers"; readonly trailers: readonly Header[] };

export type Fault = InsteadFault | ReplyFault | TravelFault;

/** Which requests a rule is for; what is left out matches all. */
export type Match = {
  readonly method?: string;
  /** The target without its query. */
  readonly path?: string | RegExp;
  /** Id of the simulated person whose credential comes with it, live or not. */
  readonly account?: string;
  /** Lower-case names; each value must be equal. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly grant?: "authorization_code" | "refresh_token";
};

export type Rule = {
  readonly match?: Match;
  /** 1 when left out. */
  readonly times?: number;
  /** Several faults act together: first those that change the answer, then those of its way. */
  readonly fault: Fault | readonly Fault[];
  /** Acts as soon as the headers are there, while the body is still coming. Only for faults that replace the endpoint. */
  readonly early?: boolean;
};
