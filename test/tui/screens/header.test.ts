import { describe, expect, it } from "vitest";
import type { Event } from "../../../src/messages/events.ts";
import { accountLine, headerLines } from "../../../src/tui/screens/header.ts";
import { fact } from "../../state/facts.ts";
import type { View } from "../../../src/tui/view.ts";
import { afternoon, noon, stateOf, textOf, viewAt } from "../scene.ts";

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

const lines = (view: View): readonly string[] => headerLines(view).map(textOf);
const started = noon - 192 * minute;

const upAfter = (ms: number): string => /up \S+/.exec(lines(viewAt({ columns: 80, live: stateOf(), now: started + ms }))[0] ?? "")?.[0] ?? "";

describe("the line of the proxy", () => {
  it("counts seconds only in the first minute, and minutes only in the first hour", () => {
    expect([12_000, 48 * minute + 30_000, 192 * minute].map(upAfter)).toEqual(["up 12s", "up 48m", "up 3h12m"]);
  });

  it.each([80, 120])("says at %d columns when drawing steps back for the streams", (columns) => {
    expect(lines(viewAt({ columns, slow: true }))[0]).toMatch(/ slow {2}/);
    expect(lines(viewAt({ columns }))[0]).not.toContain("slow");
  });
});

const traffic = (events: readonly Event[], now = noon) => headerLines(viewAt({ live: stateOf(events), now }))[2] ?? { segments: [], selected: false };

const toneOf = (status: string, events: readonly Event[]) => traffic(events).segments.find(({ text }) => text.includes(status))?.tone;

const answer = (id: string, read: number): readonly Event[] => [
  fact("request.received", { requestId: id, sessionId: "s", at: noon }),
  fact("usage.updated", { requestId: id, inputTokens: 20_000 - read, cacheReadTokens: read }),
  fact("request.finished", { requestId: id, at: noon }),
];

describe("the line of the traffic", () => {
  it("shows failures in the colour of their kind, and none in no colour", () => {
    expect([toneOf("4xx", afternoon), toneOf("4xx", []), toneOf("5xx", [])]).toEqual(["warning", "plain", "plain"]);
  });

  it("says how long ago the upstream answered, in seconds only while they are kept up to date", () => {
    const answered = [fact("request.received", { at: noon }), fact("response.started", { at: noon })];
    expect(textOf(traffic([...answered], noon + 30_000))).toContain("upstream ok 30s ago");
    expect(textOf(traffic([...answered, fact("request.finished", { at: noon })], noon + 30_000))).toContain("upstream ok <1m ago");
  });

  it("warns of a session whose prompt cache has collapsed", () => {
    const events = [...["a", "b", "c"].flatMap((id) => answer(id, 18_000)), ...["d", "e"].flatMap((id) => answer(id, 0))];
    expect(textOf(traffic(events))).toContain("! cache 0%, was 90% (2)");
  });
});

describe("a header of few cells", () => {
  it("leaves the last answer out where the token needs the row", () => {
    const expiring = fact("token.refreshed", { newExpiresAt: noon + 373_000 });
    expect(lines(viewAt({ columns: 30, rows: 3, live: stateOf([...afternoon, expiring]) }))[1]?.trimEnd()).toBe("TOKEN EXPIRING 6m13s");
  });

  it("of one line is the message while there is one, else what is wrong", () => {
    const live = stateOf([fact("account.removed")]);
    const message = { text: "Copied", alert: "good", until: noon + 1 } as const;
    expect(lines(viewAt({ columns: 60, rows: 1, live }))).toEqual(["x NO ACCOUNT: sign in. Press l."]);
    expect(lines(viewAt({ columns: 60, rows: 1, live, ui: { message } }))).toEqual(["+ Copied"]);
  });
});
