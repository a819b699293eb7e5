// `refresh`: what it says of each outcome, and its exit code.
import { describe, expect, it } from "vitest";
import type { RefreshOutcome } from "../../../src/messages/commands.ts";
import { account, fakeContext } from "../fake-context.ts";

const expiresAt = Date.UTC(2026, 0, 3);
const failed = (needsLogin: boolean): RefreshOutcome => ({ outcome: "failed", errorCode: "invalid_grant", message: "revoked", nextTryAt: null, needsLogin });

const refreshed = async (outcome: RefreshOutcome, ...id: readonly string[]) => {
  const context = fakeContext({ accounts: [account("a")], commands: { refresh: async () => outcome } });
  return { code: await context.run("refresh", ...id), text: context.said.err(), out: context.said.out() };
};

describe("refresh", () => {
  it.each<readonly [string, RefreshOutcome, string]>([
    ["a new token", { outcome: "refreshed", expiresAt }, "refreshed, valid until 2026-01-03T00:00:00.000Z\n"],
    ["a new token without an expiry", { outcome: "refreshed", expiresAt: null }, "refreshed, without an expiry\n"],
    ["a token that another process got", { outcome: "adopted", expiresAt }, "another process had refreshed already, valid until 2026-01-03T00:00:00.000Z\n"],
  ])("says of %s until when it is valid, and ends with 0", async (_, outcome, text) => {
    expect(await refreshed(outcome)).toEqual({ code: 0, text, out: "" });
  });

  it("ends with 3 and names the sign-in when only that helps", async () => {
    expect(await refreshed(failed(true), "a")).toMatchObject({
      code: 3,
      text: "claude-oauth-proxy: The refresh failed (invalid_grant): revoked\n  Sign in again: claude-oauth-proxy login --account a\n",
    });
    expect((await refreshed(failed(true))).text).toContain("Sign in again: claude-oauth-proxy login\n");
  });

  it("ends with 1 and says that the credential is kept when a later try may help", async () => {
    expect(await refreshed(failed(false))).toMatchObject({
      code: 1,
      text: "claude-oauth-proxy: The refresh failed (invalid_grant): revoked\n  The credential is kept; try again later.\n",
    });
  });

  it("without any account ends with 3", async () => {
    const context = fakeContext();
    expect(await context.run("refresh")).toBe(3);
    expect(context.said.err()).toContain("There is no account to refresh.");
  });
});
