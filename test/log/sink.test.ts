// The bus on one side, lines on the other.
import { setImmediate as immediately } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createTextFormat } from "../../src/log/format.ts";
import { startRecord } from "../../src/log/record.ts";
import { createRedact } from "../../src/log/redact.ts";
import { startLog } from "../../src/log/sink.ts";
import { createBus } from "../../src/messages/bus.ts";
import type { Event } from "../../src/messages/events.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { everyEvent } from "./every-event.ts";

const memory = () => {
  const lines: string[] = [];
  return { lines, write: (line: string) => void lines.push(line), flush: () => {}, close: async () => {} };
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

  it("nobody who publishes waits for a line, and none waits for another turn", async () => {
    const bus = createBus(createFakeClock());
    const target = memory();
    startLog(bus, [{ lines: target, format: createTextFormat(createRedact()), level: "debug" }]);
    bus.publish({ type: "account.healthy", accountId: "a" });
    bus.publish({ type: "account.healthy", accountId: "b" });
    expect(target.lines).toEqual([]);
    await immediately();
    expect(target.lines.map((line) => line.slice(-9))).toEqual(["a healthy", "b healthy"]);
  });

  it("a line that cannot be made costs that line: nobody else notices, and the bus is told", async () => {
    const faults: unknown[] = [];
    const bus = createBus(createFakeClock(), (error) => faults.push(error));
    const target = memory();
    const broken = new Error("no such words");
    const format = (event: Event): string => {
      if (event.type === "account.healthy" && event.accountId === "a") throw broken;
      return event.type;
    };
    startLog(bus, [{ lines: target, format, level: "debug" }]);
    for (const accountId of ["a", "b"]) bus.publish({ type: "account.healthy", accountId });
    await immediately();
    expect([target.lines, faults]).toEqual([["account.healthy"], []]);
    bus.publish({ type: "account.healthy", accountId: "c" });
    await immediately();
    expect([target.lines.length, faults]).toEqual([2, [broken]]);
  });

  it("a recording holds every event word for word, whatever the level", async () => {
    const bus = createBus(createFakeClock());
    const target = memory();
    const seen: unknown[] = [];
    bus.subscribe((event) => seen.push(event));
    const record = startRecord(bus, target, createRedact());
    for (const { at: _at, seq: _seq, ...draft } of everyEvent("plain words")) bus.publish(draft);
    await record.stop();
    expect(target.lines.map((line) => JSON.parse(line) as unknown)).toEqual(JSON.parse(JSON.stringify(seen)));
  });
});
