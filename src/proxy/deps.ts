// What the forwarder is handed by the composition root, and the shape of what it gives back.
import type { Credentials } from "../accounts/credential.ts";
import type { HttpRequest } from "../http/request.ts";
import type { HttpResponse } from "../http/response.ts";
import type { Clock } from "../lib/clock.ts";
import type { Publish, PublishBuffered } from "../messages/bus.ts";
import type { ErrorCode } from "../messages/errors.ts";
import type { Upstream } from "./upstream.ts";

/** What the server knows of an admitted request. */
export type RequestFacts = {
  readonly requestId: string;
  /** Monotonic milliseconds. */
  readonly receivedAt: number;
  /** `x-claude-code-session-id`, for stickiness. */
  readonly sessionId: string | null;
  /** Raw header list (name, value, name, value …) added to every answer, such as our CORS headers. */
  readonly answerHeaders?: readonly string[];
};

/**
 * Sends an admitted request upstream and relays the answer. Returns at once and never throws; ends with
 * exactly one `request.finished` (or `request.rejected` for a target that the server should not have let in).
 */
export type Forward = (request: HttpRequest, response: HttpResponse, facts: RequestFacts) => void;

/** Our own answer in the Messages API's error envelope. Headers already set on `response` are kept. */
export type RespondError = (
  response: HttpResponse,
  refusal: { readonly code: ErrorCode; readonly message: string; readonly hint?: string; readonly requestId: string },
) => void;

/** One way a model name may be served (see `models.map`). */
export type ModelRoute = { readonly model: string; readonly account?: string; readonly priority?: number };

export type ForwardSettings = {
  readonly maxBodyBytes: number;
  /** From the last sign of the upload's progress to the response headers; 0 is off. */
  readonly headersTimeoutMs: number;
  /** Between two bytes of any response body; 0 is off. */
  readonly bodyIdleTimeoutMs: number;
  /** Between two bytes of any response body, in seconds; 0 is off. */
  readonly silenceSeconds: number;
  readonly retry: { readonly maxRetries: number; readonly delayMs: number; readonly statuses: readonly number[] };
  readonly models: { readonly default: string | null; readonly map: Readonly<Record<string, readonly ModelRoute[]>> | null };
  /** The account every request is pinned to (`--account`), null for none. */
  readonly accountId: string | null;
};

export type ForwarderDeps = {
  readonly upstream: Upstream;
  /** Null in pass-through mode: the client keeps its own login. */
  readonly credentials: Credentials | null;
  readonly publish: Publish;
  /** For what is read from an answer when the client has it. */
  readonly publishBuffered: PublishBuffered;
  readonly clock: Clock;
  readonly settings: ForwardSettings;
  readonly respondError: RespondError;
  /** Aborted when the drain time is over: every open request ends at once with outcome `shutdown`. */
  readonly cut?: AbortSignal;
};
