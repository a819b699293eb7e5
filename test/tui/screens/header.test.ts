import { describe, expect, it } from "vitest";
import type { Event } from "../../../src/messages/events.ts";
import { accountLine } from "../../../src/tui/screens/header.ts";
import { fact } from "../../state/facts.ts";
import { noon, stateOf, textOf, viewAt } from "../scene.ts";

const minute = 60_000;
const hour = 60 * minute;
const line = (columns: number, ...events: readonly Event[]): string => textOf(accountLine(viewAt({ columns, live: stateOf(events) }))).trimEnd();

describe("the account's line", () => {
  it("tells of an expiring token when it will be refreshed", () => {
    expect(line(80, fact("token.refreshed", { at: noon - 8 * hour, newExpiresAt: noon + 370_000 }))).toBe(" dana (Max)  TOKEN EXPIRING in 6m10s  refresh in 1m10s  [----------]");
  });

  it("tells that an account rests, and that others are signed out", () => {
    expect(line(80, fact("account.cooling", { until: noon + 5 * minute, limited: true }))).toContain("limited to 12:05");
    expect(line(100, fact("account.added", { accountId: "b", label: "b" }), fact("account.needs-login", { accountId: "b" }))).toContain("1 of 2 signed out (3, l)");
    expect(line(100, fact("account.added", { accountId: "b", label: "b" }))).toContain("+1 more");
  });

  it("keeps the token whole in the smallest terminals", () => {
    expect(line(30, fact("token.refreshed", { newExpiresAt: noon + 373_000 }))).toBe("TOKEN EXPIRING 6m13s");
  });

  it("says in pass-through mode that nothing is stored (N11)", () => {
    expect(textOf(accountLine(viewAt({ live: stateOf([], "pass-through") })))).toContain("PASS-THROUGH: the client keeps its own login, nothing is stored");
  });
});
