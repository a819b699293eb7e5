import { describe, expect, it } from "vitest";
import { callBytes, causes, createAlerts, newCauses, titleBytes } from "../../src/tui/alerts.ts";
import type { Event } from "../../src/messages/events.ts";
import { fact } from "../state/facts.ts";
import { afternoon, noon, stateOf } from "./scene.ts";

const after = (...events: readonly Event[]) => causes(stateOf(events), noon);

describe("a person is needed", () => {
  it("to sign in again, once for each account (N6)", () => {
    expect(after(fact("account.needs-login"))).toEqual(["sign-in:main"]);
    expect(newCauses(["sign-in:main"], ["sign-in:main", "sign-in:b"])).toEqual(["sign-in:b"]);
  });

  it("when nobody can serve, and when the program says that it cannot go on alone (N6)", () => {
    expect(after(fact("account.removed"))).toEqual(["sign-in"]);
    expect(after(fact("token.refreshed", { newExpiresAt: noon - 1 }), fact("token.refresh-failed", { nextTryAt: noon + 1 }))).toEqual(["no-account"]);
    expect(after(fact("notice", { at: noon, seq: 9 }))).toEqual(["notice:9"]);
  });

  it("for nothing that passes by itself (N6)", () => {
    expect(after(...afternoon)).toEqual([]);
    expect(after(fact("token.refreshed", { newExpiresAt: noon - 1 }))).toEqual([]);
    expect(after(fact("token.refresh-failed", { failures: 2, nextTryAt: noon }))).toEqual([]);
    expect(after(fact("attempt.failed"), fact("account.cooling", { limited: true }), fact("notice", { level: "warning", at: noon }))).toEqual([]);
    expect(after(fact("notice", { at: noon - 6 * 60_000 }))).toEqual([]);
    expect(causes(stateOf([], "pass-through"), noon)).toEqual([]);
  });
});

describe("the call", () => {
  it("is a bell, a notification, or nothing, and names no account", () => {
    expect([callBytes("bell"), callBytes("osc9"), callBytes("none")]).toEqual(["\u0007", "\u001b]9;claude-oauth-proxy needs you\u0007", ""]);
  });

  it("marks the title, which holds the port and no account", () => {
    expect(titleBytes(4001, false)).toBe("\u001b]0;claude-oauth-proxy :4001\u0007");
    expect(titleBytes(4001, true)).toBe("\u001b]0;! claude-oauth-proxy :4001\u0007");
    expect(titleBytes(null, false)).toBe("\u001b]0;claude-oauth-proxy\u0007");
  });
});

describe("the alerts of a terminal", () => {
  const [well, needed] = [{ live: stateOf(), now: noon }, { live: stateOf([fact("account.needs-login")]), now: noon }];
  const written = (titled: boolean): readonly string[] => {
    const bytes: string[] = [];
    const alerts = createAlerts({ write: (text) => void bytes.push(text), notify: "bell", titled });
    alerts.open(well.live);
    for (const view of [well, needed, needed, well]) alerts.look(view);
    alerts.close();
    return bytes;
  };

  it("call once for each cause, and mark the title while it lasts", () => {
    const titles = ["\u001b[22;0t\u001b]0;claude-oauth-proxy :4001\u0007", "\u0007", "\u001b]0;! claude-oauth-proxy :4001\u0007", "\u001b]0;claude-oauth-proxy :4001\u0007", "\u001b[23;0t"];
    expect(written(true)).toEqual(titles);
  });

  it("leave the title alone where there is none", () => expect(written(false)).toEqual(["\u0007"]));
});
