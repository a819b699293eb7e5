import { describe, expect, it } from "vitest";

import { blameUpstream } from "../../src/proxy/blame.ts";

const blame = (
  status: number, type: string | null, message: string | null = null, table: Record<string, string> = {},
) => blameUpstream({ status, headers: Object.entries(table).flat(), error: { type, message } }).blame;

describe("blameUpstream", () => {
  it.each([
    [400, "invalid_request_error", "client"],
    [404, "not_found_error", "client"],
    [401, "authentication_error", "credential"],
    [402, "billing_error", "plan-limit"],
    [403, null, "credential"],
    [413, null, "client"],
    [429, "rate_limit_error", "throttle"],
    [500, "api_error", "upstream"],
    [503, null, "upstream"],
    [529, "overloaded_error", "overload"],
    [200, "overloaded_error", "overload"],
    [200, "never_heard_of", "upstream"],
    [400, "constructor", "client"],
  ] as const)("%i %s is the fault of: %s", (status, type, expected) => {
    expect(blame(status, type)).toBe(expected);
  });

  it("a 429 is the plan's limit only when the unified headers say so", () => {
    expect(blame(429, "rate_limit_error", null, { "anthropic-ratelimit-unified-status": "rejected" })).toBe("plan-limit");
    expect(blame(429, "rate_limit_error", null, { "anthropic-ratelimit-unified-representative-claim": "five_hour" })).toBe("plan-limit");
    expect(blame(429, "rate_limit_error", null, { "anthropic-ratelimit-unified-status": "allowed" })).toBe("throttle");
  });

  it("known sentences about the login and about credits are told apart from a wrong request", () => {
    expect(blame(400, "invalid_request_error", "This credential is only authorized for use with Claude Code and cannot be used for other API requests.")).toBe("credential");
    expect(blame(400, "invalid_request_error", "Third-party apps now draw from your extra usage")).toBe("plan-limit");
  });
});
