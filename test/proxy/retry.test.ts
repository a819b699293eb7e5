// Every decision after an attempt, the one after a 401 included.
import { describe, expect, it } from "vitest";

import { nextStep } from "../../src/proxy/retry.ts";
import type { AttemptResult, Failure, RetryState } from "../../src/proxy/retry.ts";

const settings = { maxRetries: 3, delayMs: 1000, statuses: [529] };
const fresh: RetryState = { retries: 0, replayable: true, renewable: true };

type Answer = { readonly status: number };
const answered = (status: number): AttemptResult<Answer, Failure> => ({ kind: "answer", answer: { status } });
const failed = (more: Partial<Failure> = {}): AttemptResult<Answer, Failure> => ({ kind: "failure", failure: { sent: false, permanent: false, refused: false, stale: false, ...more } });

/** What is done, and after how many milliseconds. */
const step = (result: AttemptResult<Answer, Failure>, state: Partial<RetryState> = {}, own: Partial<typeof settings> = {}): string => {
  const next = nextStep(result, { ...fresh, ...state }, { ...settings, ...own });
  return "ms" in next ? `${next.do} ${next.ms}` : next.do;
};

describe("after an answer", () => {
  it.each([200, 304, 400, 403, 429, 500, 503])("a %i goes to the client", (status) => {
    expect(step(answered(status))).toBe("relay");
  });

  it("a 401 asks once for a newer token, when the request can be sent again", () => {
    expect(step(answered(401))).toBe("renew");
    expect(step(answered(401), { renewable: false })).toBe("relay");
    expect(step(answered(401), { replayable: false })).toBe("relay");
  });

  it("a 401 is renewed before it is tried again as an opted-in status, and then as one", () => {
    expect(step(answered(401), {}, { statuses: [401] })).toBe("renew");
    expect(step(answered(401), { renewable: false }, { statuses: [401] })).toBe("wait 1000");
  });

  it("a status is tried again only when it was opted in, as often as set", () => {
    expect([0, 1, 2, 3].map((retries) => step(answered(529), { retries }))).toEqual(["wait 1000", "wait 2000", "wait 4000", "relay"]);
    expect(step(answered(500))).toBe("relay");
    expect(step(answered(529), { replayable: false })).toBe("relay");
  });
});

describe("after a failure", () => {
  it("another account may serve, else it waits twice as long each time and stops at the limit", () => {
    expect([0, 1, 2, 3].map((retries) => step(failed(), { retries }))).toEqual(["other account 1000", "other account 2000", "other account 4000", "give up"]);
  });

  it("after a refused connection all retries happen within the first pause, as many as set (F1)", () => {
    expect([0, 1, 2, 3].map((retries) => step(failed({ refused: true }), { retries }))).toEqual(["other account 125", "other account 250", "other account 500", "give up"]);
    expect(step(failed({ refused: true }), { retries: 9 }, { maxRetries: 10 })).toBe("other account 500");
    expect(step(failed({ refused: true }), {}, { maxRetries: 0 })).toBe("give up");
  });

  it("a kept connection that ended before the request was written costs no pause, once", () => {
    expect(step(failed({ stale: true }))).toBe("retry");
    expect(step(failed({ stale: true }), { retries: 1 })).toBe("other account 2000");
    expect(step(failed({ stale: true, sent: true }))).toBe("give up");
  });

  it("what may have been executed, cannot be repeated, or cannot succeed is never repeated", () => {
    expect(step(failed({ sent: true }))).toBe("give up");
    expect(step(failed({ permanent: true }))).toBe("give up");
    expect(step(failed(), { replayable: false })).toBe("give up");
  });
});
