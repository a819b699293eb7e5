import { describe, expect, it } from "vitest";
import { createBus } from "../../src/messages/bus.ts";
import type { Event, EventDraft } from "../../src/messages/events.ts";
import { secret } from "../../src/lib/secret.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { everyEvent } from "../log/every-event.ts";

const fact = { type: "account.healthy", accountId: "a" } as const;

describe("the bus", () => {
  it("stamps time and a running number, in order", () => {
    const clock = createFakeClock(1000);
    const bus = createBus(clock);
    const seen: Event[] = [];
    bus.subscribe((event) => seen.push(event));
    bus.publish(fact);
    clock.jump(5);
    bus.publish(fact);
    expect(seen).toEqual([
      { ...fact, at: 1000, seq: 1 },
      { ...fact, at: 1005, seq: 2 },
    ]);
  });

  it("hands out frozen records", () => {
    const bus = createBus(createFakeClock());
    const seen: Event[] = [];
    bus.subscribe((event) => seen.push(event));
    bus.publish(fact);
    expect(Object.isFrozen(seen[0])).toBe(true);
  });

  it("keeps the publisher and the others safe from a subscriber that throws, and reports it once, by name, as a notice", () => {
    const bus = createBus(createFakeClock());
    const seen: Event[] = [];
    bus.subscribe(() => {
      throw new TypeError("no such column");
    }, "a view");
    bus.subscribe((event) => seen.push(event));
    bus.publish(fact);
    bus.publish(fact);
    expect(seen.map(({ type, seq }) => `${type} ${seq}`)).toEqual(["account.healthy 1", "notice 2", "account.healthy 3"]);
    expect(seen[1]).toMatchObject({ level: "error", code: "subscriber-failed" });
    expect(seen[1]).toHaveProperty("message", "a view could not follow account.healthy (TypeError: no such column); further failures of it are not reported");
  });

  it("reports each subscriber that throws, and in its notice no token that the failure quotes", () => {
    const bus = createBus(createFakeClock());
    const notices: string[] = [];
    for (const name of ["the log", "a view"]) {
      bus.subscribe(() => {
        throw new Error("bad text sk-ant-oat01-abcdefghijkl");
      }, name);
    }
    bus.subscribe((event) => void (event.type === "notice" && notices.push(event.message)));
    bus.publish(fact);
    expect(notices.map((text) => text.slice(0, text.indexOf(" could")))).toEqual(["the log", "a view"]);
    expect(notices.join()).not.toContain("sk-ant");
  });

  it("reports a fact that cannot be made, and delivers the ones after it", () => {
    const bus = createBus(createFakeClock());
    const seen: string[] = [];
    bus.subscribe((event) => seen.push(event.type === "notice" ? event.message.slice(0, 36) : event.type));
    bus.publishBuffered(() => {
      throw new Error("no usage");
    });
    bus.publishBuffered(() => null);
    bus.publishBuffered(() => ({ ...fact }));
    bus.flush();
    expect(seen).toEqual(["account.healthy", "a publisher could not make an event "]);
  });

  it("ends a subscription when asked", () => {
    const bus = createBus(createFakeClock());
    let seen = 0;
    const stop = bus.subscribe(() => {
      seen += 1;
    });
    stop();
    bus.publish(fact);
    expect(seen).toBe(0);
  });

  it("tells the facts of requests together and soon, each with its own time", async () => {
    const clock = createFakeClock(1000);
    const bus = createBus(clock);
    const seen: Event[] = [];
    bus.subscribe((event) => seen.push(event));
    bus.publishBuffered({ ...fact });
    await clock.advance(2);
    bus.publishBuffered({ ...fact });
    expect(seen).toEqual([]);
    await clock.advance(3);
    expect(seen.map(({ at, seq }) => [at, seq])).toEqual([[1000, 1], [1002, 2]]);
    bus.publishBuffered({ ...fact });
    await clock.advance(5);
    expect(seen).toHaveLength(3);
  });

  it("keeps the order: what is told at once comes after what was held, and whoever looks has it all", () => {
    const bus = createBus(createFakeClock());
    const seen: string[] = [];
    bus.subscribe((event) => seen.push("accountId" in event ? (event.accountId ?? "") : ""));
    bus.publishBuffered({ ...fact, accountId: "first" });
    bus.publish({ ...fact, accountId: "second" });
    bus.publishBuffered({ ...fact, accountId: "third" });
    bus.flush();
    expect(seen).toEqual(["first", "second", "third"]);
  });

  it("holds a bounded number", () => {
    const bus = createBus(createFakeClock());
    let seen = 0;
    bus.subscribe(() => (seen += 1));
    for (let count = 0; count < 1000; count += 1) bus.publishBuffered({ ...fact });
    expect(seen).toBe(512);
  });

  it("what a listener publishes comes after what it was told, for everybody", () => {
    const bus = createBus(createFakeClock());
    const seen: number[] = [];
    bus.subscribe(({ seq }) => {
      if (seq === 1) bus.publish({ ...fact });
      if (seq === 2) bus.publishBuffered({ ...fact });
    });
    bus.subscribe(({ seq }) => seen.push(seq));
    bus.publish({ ...fact });
    expect(seen).toEqual([1, 2, 3]);
  });
});

const setUp = () => {
  const clock = createFakeClock();
  const bus = createBus(clock);
  const seen: Event[] = [];
  bus.subscribe((event) => seen.push(event));
  return { clock, bus, seen };
};

describe("what the program holds", () => {
  const token = "an-access-token-that-no-pattern-knows-0123456789";

  it("is in no text of any event, wherever an upstream wrote it", () => {
    const { bus, seen } = setUp();
    bus.hide(() => [secret(token)]);
    for (const { at: _at, seq: _seq, ...draft } of everyEvent(`x ${token} y`)) bus.publish(draft as EventDraft);
    for (const { at: _at, seq: _seq, ...draft } of everyEvent(encodeURIComponent(token).slice(0, 30))) bus.publishBuffered(() => draft as EventDraft);
    bus.flush();
    expect(seen.length).toBeGreaterThan(50);
    expect(JSON.stringify(seen)).not.toMatch(/access-token-that/);
    expect(JSON.stringify(seen)).toContain("x *** y");
  });

  it("is asked for anew before each delivery, from every source, and what was replaced counts for a while", async () => {
    const { clock, bus, seen } = setUp();
    let held = [secret("the-first-token-0123456789abcdef")];
    bus.hide(() => held);
    bus.hide(() => [secret("the-local-key-0123456789abcdefgh")]);
    bus.publishBuffered({ type: "account.removed", accountId: "a", reason: "the-second-token-0123456789abcdef" });
    held = [secret("the-second-token-0123456789abcdef")];
    bus.publishBuffered({ type: "account.removed", accountId: "a", reason: "the-first-token-0123456789abcdef the-local-key-0123456789abcdefgh" });
    await clock.advance(5);
    bus.publish({ type: "account.removed", accountId: "a", reason: "the-second-token-0123456789abcdef" });
    expect(seen.map((event) => "reason" in event && event.reason)).toEqual(["***", "the-first-token-0123456789abcdef ***", "***"]);
    held = [];
    bus.publish({ type: "account.removed", accountId: "a", reason: "the-second-token-0123456789abcdef" });
    expect(seen.at(-1)).toHaveProperty("reason", "***");
  });

  it("is taken out of a record that was published before too, and that record stays as it was", () => {
    const { bus, seen } = setUp();
    const frozen = Object.freeze({ type: "account.removed", accountId: "a", reason: token } as const);
    bus.hide(() => [secret(token)]);
    bus.publish(frozen);
    expect([seen[0], frozen.reason]).toEqual([expect.objectContaining({ reason: "***" }), token]);
  });

  it("keeps no event back when it cannot be asked for", () => {
    const { bus, seen } = setUp();
    bus.hide(() => {
      throw new Error("no list");
    });
    bus.publish(fact);
    expect(seen.map(({ type }) => type)).toEqual(["account.healthy", "notice"]);
  });
});
