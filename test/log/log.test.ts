// The bus on one side, lines on the other.
import { describe, expect, it } from "vitest";
import { createTextFormat } from "../../src/log/format.ts";
import { startLog, startRecording } from "../../src/log/log.ts";
import { createRedact } from "../../src/lib/redact.ts";
import { createBus } from "../../src/messages/bus.ts";
import type { Event } from "../../src/messages/events.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { everyEvent } from "./every-event.ts";

const memory = () => {
  const lines: string[] = [];
  return { lines, write: (line: string) => void lines.push(line), flush: () => {}, close: async () => {} };
};

const failsOnA = (event: Event): string => {
  if (event.type === "account.healthy" && event.accountId === "a") throw new Error("no such words");
  return event.type === "notice" ? event.message : event.type;
};

describe("the log", () => {
  it("each target gets its own level and its own format; a line below the level is still remembered", () => {
    const bus = createBus(createFakeClock());
    const redact = createRedact();
    const [all, few] = [memory(), memory()];
    const log = startLog(bus, [
      { lines: all, format: createTextFormat(redact), level: "debug" },
      { lines: few, format: createTextFormat(redact), level: "warn" },
    ]);
    const events = everyEvent("/v1/messages");
    for (const { at: _at, seq: _seq, ...draft } of events) bus.publish(draft);
    log.flush();
    expect(all.lines).toHaveLength(events.length);
    expect(few.lines.length).toBeLessThan(events.length);
    expect(few.lines.find((line) => line.includes("429"))).toContain("r1 POST /v1/messages: 429");
  });

  it("after stop nothing more is written", async () => {
    const bus = createBus(createFakeClock());
    const target = memory();
    const log = startLog(bus, [{ lines: target, format: createTextFormat(createRedact()), level: "debug" }]);
    await log.stop();
    bus.publish({ type: "account.healthy", accountId: "a" });
    expect(target.lines).toEqual([]);
  });

  it("a request does not wait for its lines, which come a moment later", async () => {
    const clock = createFakeClock();
    const bus = createBus(clock);
    const target = memory();
    startLog(bus, [{ lines: target, format: createTextFormat(createRedact()), level: "debug" }]);
    bus.publishBuffered({ type: "account.healthy", accountId: "a" });
    bus.publishBuffered({ type: "account.healthy", accountId: "b" });
    expect(target.lines).toEqual([]);
    await clock.advance(5);
    expect(target.lines.map((line) => line.slice(26))).toEqual(["a: serving again", "b: serving again"]);
  });

  it("a line that cannot be made costs that line and becomes a notice in the log; other logs have them all", () => {
    const bus = createBus(createFakeClock());
    const [broken, whole] = [memory(), memory()];
    startLog(bus, [{ lines: broken, format: failsOnA, level: "debug" }, { lines: whole, format: ({ type }) => type, level: "debug" }]);
    for (const accountId of ["a", "b"]) bus.publish({ type: "account.healthy", accountId });
    expect(broken.lines).toEqual(["the log could not follow account.healthy (Error: no such words); further failures of it are not reported", "account.healthy"]);
    expect(whole.lines).toEqual(["account.healthy", "notice", "account.healthy"]);
  });

  it("a recording holds every event word for word, whatever the level", async () => {
    const bus = createBus(createFakeClock());
    const target = memory();
    const seen: unknown[] = [];
    bus.subscribe((event) => seen.push(event));
    const record = startRecording(bus, target, createRedact());
    for (const { at: _at, seq: _seq, ...draft } of everyEvent("plain words")) bus.publish(draft);
    await record.stop();
    expect(target.lines.map((line) => JSON.parse(line) as unknown)).toEqual(JSON.parse(JSON.stringify(seen)));
  });
});
