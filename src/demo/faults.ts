// How a test or the demo makes the simulated server misbehave: the faults as plain values, the rules that say which
// requests they hit, and the rules in force. `reply-faults` and `delivery-faults` carry the faults out.
import type { Block } from "./answer.ts";
import type { End } from "./delivery.ts";
import type { Header } from "./reply.ts";

/** Replaces the endpoint, which is not executed at all. */
export type EndpointFault =
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

/** The endpoint is executed, its answer is delivered badly. `afterBytes` counts bytes of the body. */
export type DeliveryFault =
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

export type Fault = EndpointFault | ReplyFault | DeliveryFault;

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
  /** Several faults act together: first those that change the answer, then those of its delivery. */
  readonly fault: Fault | readonly Fault[];
  /** Acts as soon as the headers are there, while the body is still coming. Only for faults that replace the endpoint. */
  readonly early?: boolean;
};

/** What a rule is compared with: one request, as far as it is known. */
export type ScriptedRequest = {
  readonly method: string;
  readonly path: string;
  readonly account: string | null;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Null while the body has not been read. */
  readonly grant: string | null;
};

export type RuleHandle = { used(): number; remove(): void };

export type Script = ReturnType<typeof createScript>;

/** The rules in the order they were given; each serves as often as it was asked to. */
export const createScript = () => {
  const rules = new Set<{ readonly rule: Rule; used: number }>();

  /** The faults of the first rule that fits, counted as used; empty when there is none. */
  const take = (request: ScriptedRequest, early: boolean): readonly Fault[] => {
    for (const entry of rules) {
      const { rule } = entry;
      if ((rule.early ?? false) !== early || !fits(rule.match ?? {}, request)) continue;
      entry.used += 1;
      if (entry.used >= (rule.times ?? 1)) rules.delete(entry);
      return [rule.fault].flat() as readonly Fault[];
    }
    return [];
  };

  return {
    take,
    isEmpty: () => rules.size === 0,
    /** Throws `TypeError` when the rule makes no sense. */
    add(rule: Rule): RuleHandle {
      if (rule.early === true && ![rule.fault].flat().some((fault) => replacesEndpoint(fault as Fault))) {
        throw new TypeError("an early rule needs a fault that replaces the endpoint");
      }
      const entry = { rule, used: 0 };
      if ((rule.times ?? 1) > 0) rules.add(entry);
      return { used: () => entry.used, remove: () => void rules.delete(entry) };
    },
    clear: () => rules.clear(),
  };
};

const pathFits = (path: string | RegExp | undefined, actual: string): boolean => {
  if (path === undefined) return true;
  return typeof path === "string" ? path === actual : actual.search(path) >= 0;
};

const fits = (match: Match, request: ScriptedRequest): boolean =>
  (match.method ?? request.method) === request.method &&
  pathFits(match.path, request.path) &&
  (match.account ?? request.account) === request.account &&
  (match.grant ?? request.grant) === request.grant &&
  Object.entries(match.headers ?? {}).every(([name, value]) => request.headers[name] === value);

const endpointKinds: ReadonlySet<string> = new Set<EndpointFault["kind"]>([
  "status",
  "plan-limit",
  "throttle",
  "overloaded",
  "cdn-html",
  "redirect",
  "refuse",
  "hang-up",
  "never",
  "one-byte",
  "garbage",
  "unasked-upgrade",
  "wire",
  "recorded",
]);

/** Is the endpoint left out because of `fault`? */
export const replacesEndpoint = (fault: { readonly kind: string }): fault is EndpointFault => endpointKinds.has(fault.kind);
