import { describe, expect, it } from "vitest";
import { levelOf, passesLevel } from "../../src/log/level.ts";
import type { Event } from "../../src/messages/events.ts";
import { everyEvent } from "./every-event.ts";

const level = (type: string, change: object = {}): string => {
  const event = everyEvent("x").find((candidate) => candidate.type === type);
  if (event === undefined) throw new Error(type);
  return levelOf({ ...event, ...change } as Event);
};

describe("levels", () => {
  it("the outcome decides for requests, refreshes and notices", () => {
    expect([level("request.finished"), level("request.finished", { outcome: "ok" }), level("request.finished", { outcome: "failed" })]).toEqual(["warn", "info", "error"]);
    expect([level("token.refresh-failed"), level("token.refresh-failed", { nextTryAt: null })]).toEqual(["warn", "error"]);
    expect([level("notice"), level("notice", { level: "error" })]).toEqual(["warn", "error"]);
  });

  it("what happens many times in one request is for debugging", () => {
    expect(["request.received", "response.progress", "usage.updated", "limits.updated"].map((type) => level(type))).toEqual(Array(4).fill("debug"));
  });

  it("a filter lets its own level and above pass, silent nothing", () => {
    expect((["debug", "info", "warn", "error"] as const).map((each) => passesLevel(each, "warn"))).toEqual([false, false, true, true]);
    expect(passesLevel("error", "silent")).toBe(false);
  });
});
