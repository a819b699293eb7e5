import { describe, expect, it } from "vitest";
import type { EventDraft } from "../../src/messages/events.ts";
import { createRefusalReports } from "../../src/server/refusal-reports.ts";
import { readFields } from "../../src/server/request-info.ts";
import { refusal } from "../../src/server/respond.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";

const setUp = () => {
  const clock = createFakeClock();
  const facts: EventDraft[] = [];
  return { clock, facts, reports: createRefusalReports({ clock, publish: (draft) => facts.push(draft) }) };
};

const infoOf = (target: string) => ({ method: "GET", target, httpVersion: "1.1", fields: readFields(["Host", "evil.example\u009b", "Origin", "https://evil.example"]) });
const foreign = refusal("foreign-host", "This Host name is not served here.", "Use localhost.");

const wrongKey = refusal("local-key", "The local key is missing or wrong.");
const broken = refusal("bad-request", "Not HTTP.");
const idsOf = (facts: readonly EventDraft[], type: EventDraft["type"]): readonly string[] => facts.flatMap((fact) => (fact.type === type && "requestId" in fact ? [fact.requestId] : []));

describe("what is told of refusals", () => {
  it("every refused request for /v1/* is a row of its own", () => {
    const { facts, reports } = setUp();
    for (const id of ["r1", "r2"]) reports.refused(infoOf("/v1/messages"), id, foreign);
    expect(facts.map(({ type }) => type)).toEqual(["request.received", "request.rejected", "request.received", "request.rejected"]);
    expect([idsOf(facts, "request.received"), idsOf(facts, "request.rejected")]).toEqual([["r1", "r2"], ["r1", "r2"]]);
  });

  it("a path that is not there is no news", () => {
    const { facts, reports } = setUp();
    reports.refused(infoOf("/favicon.ico"), "r", refusal("not-found", "There is no such path here."));
    expect(facts).toEqual([]);
  });
});

describe("a flood of refusals", () => {
  it("of requests for /v1/* is five rows, then one with the number of those that it stands for, each of them received and rejected (S11)", async () => {
    const { clock, facts, reports } = setUp();
    for (let index = 1; index <= 1000; index += 1) reports.refused(infoOf("/v1/messages"), `r${index}`, wrongKey);
    expect(idsOf(facts, "request.rejected")).toEqual(["r1", "r2", "r3", "r4", "r5"]);
    await clock.advance(10_000);
    expect(facts.at(-1)).toEqual({
      type: "request.rejected", requestId: "r1000", status: 401, code: "local-key", message: "The local key is missing or wrong. (994 more like this before)", count: 995,
    });
    expect(idsOf(facts, "request.received")).toEqual(idsOf(facts, "request.rejected"));
    expect(facts).toHaveLength(12);
  });

  it("is told less often the longer it goes on, and one by one again after a pause without any (S11)", async () => {
    const { clock, facts, reports } = setUp();
    const toldIn = async (seconds: number): Promise<number> => {
      const before = facts.length;
      for (let second = 0; second < seconds; second += 1) {
        reports.refused(infoOf("/v1/messages"), "r", wrongKey);
        await clock.advance(1000);
      }
      return (facts.length - before) / 2;
    };
    expect([await toldIn(11), await toldIn(20), await toldIn(40), await toldIn(3600)]).toEqual([6, 1, 1, 23]);
    await clock.advance(400_000);
    facts.length = 0;
    expect(await toldIn(3)).toBe(3);
    await clock.advance(20_000);
    expect(clock.pendingTimers()).toBe(0);
  });

  it("of other requests is one notice, then one with their number (S11)", async () => {
    const { clock, facts, reports } = setUp();
    for (let index = 0; index < 50; index += 1) reports.refused(infoOf("/health?key=canary"), "r", foreign);
    await clock.advance(10_000);
    const message = "GET /health (Host evil.example·) from https://evil.example was refused: This Host name is not served here.";
    expect(facts).toEqual(["", " (48 more like this before)"].map((more) => ({ type: "notice", level: "warning", code: "foreign-host", message: message + more, hint: "Use localhost." })));
  });

  it("of one kind does not hide another kind (S11)", () => {
    const { facts, reports } = setUp();
    for (let index = 0; index < 100; index += 1) reports.refused(infoOf("/v1/messages"), `k${index}`, wrongKey);
    for (let index = 0; index < 100; index += 1) reports.refused(null, "r", broken);
    reports.refused(infoOf("/v1/messages"), "h", foreign);
    reports.refused(infoOf("/auth/status"), "r", wrongKey);
    expect(facts.filter(({ type }) => type === "notice")).toMatchObject([{ code: "bad-request", message: "A connection was refused: Not HTTP." }, { code: "local-key" }]);
    expect(idsOf(facts, "request.rejected")).toEqual(["k0", "k1", "k2", "k3", "k4", "h"]);
  });

  it("is told to its end when the program stops (S11)", () => {
    const { facts, reports } = setUp();
    for (let index = 1; index <= 9; index += 1) reports.refused(infoOf("/v1/messages"), `r${index}`, wrongKey);
    reports.flush();
    expect(facts.at(-1)).toMatchObject({ requestId: "r9", count: 4 });
    reports.flush();
    expect(facts).toHaveLength(12);
  });

  it("of connections that cannot be taken is said, and does not flood (F11)", () => {
    const { facts, reports } = setUp();
    for (let index = 0; index < 1000; index += 1) reports.troubled(Object.assign(new Error("accept"), { code: "EMFILE" }));
    expect(facts).toHaveLength(1);
    expect(facts[0]).toMatchObject({ code: "listener", message: "A connection could not be taken (EMFILE)." });
  });
});
