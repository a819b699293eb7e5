// Who is to blame for a failed request, in whose words, and what to do next. Pure: the one line a person
// reads instead of a stack of logs.
import type { ErrorBody } from "../lib/error-body.ts";
import { valueOf } from "../lib/http-fields.ts";
import type { RawHeaders } from "../lib/http-fields.ts";
import type { Blame } from "../messages/events.ts";

export type BlameLine = {
  readonly blame: Blame;
  readonly errorCode: string;
  readonly message: string;
  readonly nextStep: string;
};

/** The upstream's refusal: its status (200 for an error inside a stream), headers, and own words. */
export type UpstreamRefusal = { readonly status: number; readonly headers: RawHeaders; readonly error: Pick<ErrorBody, "type" | "message"> };

/** Names the party at fault for an error answer of the upstream. */
export const blameUpstream = (refusal: UpstreamRefusal): BlameLine => {
  const blame = culprit(refusal);
  return {
    blame,
    errorCode: refusal.error.type ?? `http-${refusal.status}`,
    message: refusal.error.message ?? `The upstream answered ${refusal.status} without saying why.`,
    nextStep: nextStep(blame, refusal),
  };
};

const known = new Map<string | number | null, Blame>([
  ["overloaded_error", "overload"],
  ["authentication_error", "credential"],
  ["permission_error", "credential"],
  ["billing_error", "plan-limit"],
  ["api_error", "upstream"],
  ["timeout_error", "upstream"],
  [401, "credential"],
  [402, "plan-limit"],
  [403, "credential"],
  [529, "overload"],
]);

const culprit = (refusal: UpstreamRefusal): Blame => {
  const { status, error, headers } = refusal;
  if (status === 429 || error.type === "rate_limit_error") return isPlanLimit(headers) ? "plan-limit" : "throttle";
  if (isAboutCredential(error.message)) return "credential";
  if (isAboutCredits(error.message)) return "plan-limit";
  return known.get(error.type) ?? known.get(status) ?? (isClientError(status) ? "client" : "upstream");
};

const isClientError = (status: number): boolean => status >= 400 && status < 500;

// A 429 without the unified headers is a short throttle of the server, not the plan's limit.
const isPlanLimit = (headers: RawHeaders): boolean => {
  const status = valueOf(headers, "anthropic-ratelimit-unified-status");
  return status === "rejected" || status === "rate_limited" || valueOf(headers, "anthropic-ratelimit-unified-representative-claim") !== null;
};

const isAboutCredential = (message: string | null): boolean => message !== null && /credential is only authorized|OAuth (?:authentication|token)/i.test(message);
const isAboutCredits = (message: string | null): boolean => message !== null && /extra usage|usage credits|credit balance/i.test(message);

const nextStep = (blame: Blame, { status, headers }: UpstreamRefusal): string => {
  if (blame === "credential" && status === 403) return "This account may not do that: check its plan, organisation and scopes.";
  const wait = blame === "throttle" || blame === "plan-limit" ? waitOf(valueOf(headers, "retry-after")) : "";
  return `${wait}${steps[blame]}`;
};

const waitOf = (after: string | null): string => (after !== null && /^\d{1,7}$/.test(after) ? `Wait ${after} s. ` : "");

const steps: Readonly<Record<Blame, string>> = {
  throttle: "The client tries again by itself.",
  "plan-limit": "Use another account, or wait until the limit resets.",
  overload: "The service is overloaded; the client tries again by itself.",
  credential: "Sign in again: claude-oauth-proxy login.",
  client: "The request itself is refused: correct it as the sentence says.",
  upstream: "The service failed: try again, then look at its status page.",
  network: "Check the network; the next request tries again.",
  proxy: "This is a fault of the proxy: report it with the request id.",
};
