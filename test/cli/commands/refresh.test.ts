// `refresh`: what it says of each outcome, and its exit code.
import { describe, expect, it } from "vitest";
import { account, fakeContext } from "../fake-context.ts";

const failedRefresh = (needsLogin: boolean): Promise<number> => {
  const outcome = { outcome: "failed", errorCode: "invalid_grant", message: "revoked", nextTryAt: null, needsLogin } as const;
  return fakeContext({ accounts: [account("a")], commands: { refresh: async () => outcome } }).run("refresh");
};

describe("refresh", () => {
  it("says until when the token is valid", async () => {
    const context = fakeContext({ accounts: [account("a")], commands: { refresh: async () => ({ outcome: "refreshed", expiresAt: Date.UTC(2026, 0, 3) }) } });
    expect(await context.run("refresh", "a")).toBe(0);
    expect(context.said.err()).toContain("2026-01-03T00:00:00.000Z");
  });

  it("ends with 3 when only a sign-in helps, with 1 when a later try may", async () => {
    expect([await failedRefresh(true), await failedRefresh(false), await fakeContext().run("refresh")]).toEqual([3, 1, 3]);
  });
});
