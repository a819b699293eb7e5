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

describe("what is told of refusals", () => {
  it("one notice in ten seconds, with the number of those held back", async () => {
    const { clock, facts, reports } = setUp();
    for (let index = 0; index < 50; index += 1) reports.refused(infoOf("/health?key=canary"), "r", foreign);
    await clock.advance(10_000);
    reports.refused(null, "r", refusal("bad-request", "Not HTTP."));
    expect(facts).toEqual([
      {
        type: "notice", level: "warning", code: "foreign-host",
        message: "GET /health (Host evil.example·) from https://evil.example was refused: This Host name is not served here.", hint: "Use localhost.",
      },
      { type: "notice", level: "warning", code: "bad-request", message: "A connection was refused: Not HTTP. (49 more like this before)", hint: null },
    ]);
  });

  it("every refused request for /v1/* is a row of its own", () => {
    const { facts, reports } = setUp();
    for (const id of ["r1", "r2"]) reports.refused(infoOf("/v1/messages"), id, foreign);
    expect(facts.map((fact) => [fact.type, "requestId" in fact && fact.requestId])).toEqual([
      ["request.received", "r1"], ["request.rejected", "r1"], ["request.received", "r2"], ["request.rejected", "r2"],
    ]);
  });

  it("a path that is not there is no news", () => {
    const { facts, reports } = setUp();
    reports.refused(infoOf("/favicon.ico"), "r", refusal("not-found", "There is no such path here."));
    expect(facts).toEqual([]);
  });

  it("a listener without descriptors says so, and does not flood (F11)", () => {
    const { facts, reports } = setUp();
    for (let index = 0; index < 1000; index += 1) reports.troubled(Object.assign(new Error("accept"), { code: "EMFILE" }));
    expect(facts).toHaveLength(1);
    expect(facts[0]).toMatchObject({ code: "listener", message: "A connection could not be taken (EMFILE)." });
  });
});
