// GET /events: the facts as they happen, for readers that keep up.
import { describe, expect, it } from "vitest";
import { ask, errorOf, head, headerOf, openWire, startServer } from "../server/kit.ts";
import type { Wire } from "../server/kit.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";

const follow = async (port: number): Promise<Wire> => {
  const wire = openWire(port);
  wire.write(head(port, "GET /events"));
  await wire.until((text) => text.includes("events of"));
  return wire;
};

const notice = (message: string) => ({ type: "notice", level: "info", code: "test", message, hint: null }) as const;

describe("/events", () => {
  it("sends every fact as one record with its type and number", async () => {
    await using own = await startServer();
    const wire = await follow(own.port);
    own.publish(notice("line\nbreak"));
    own.publish({ type: "clock.jumped", deltaMs: 5, kind: "suspend" });
    const text = await wire.until((seen) => seen.includes("clock.jumped"));
    expect(headerOf(text, "content-type")).toBe("text/event-stream");
    const records = [...text.matchAll(/id: (\d+)\r?\nevent: (\S+)\r?\ndata: (.*)\n\n/g)].map((match) => ({ seq: Number(match[1]), type: match[2], data: JSON.parse(match[3] ?? "") as unknown }));
    expect(records).toEqual(own.events.map((event) => ({ seq: event.seq, type: event.type, data: event })));
    wire.socket.destroy();
  });

  it("gives a sign of life while nothing happens", async () => {
    const clock = createFakeClock();
    await using own = await startServer({ clock });
    const wire = await follow(own.port);
    await clock.advance(15_000);
    await wire.until((text) => text.includes(": still here"));
    wire.socket.destroy();
  });

  it("a reader that left is forgotten: no listener, no timer", async () => {
    const clock = createFakeClock();
    await using own = await startServer({ clock });
    const before = clock.pendingTimers();
    const listeners = own.listeners();
    const wire = await follow(own.port);
    // The heartbeat.
    expect(clock.pendingTimers()).toBe(before + 1);
    wire.socket.destroy();
    await expect.poll(() => clock.pendingTimers()).toBe(before);
    expect(own.server.inFlight()).toBe(0);
    expect(own.listeners()).toBe(listeners);
    own.publish(notice("after"));
  });

  it("a reader that does not keep up is dropped, the others go on", async () => {
    await using own = await startServer();
    const quick = await follow(own.port);
    const slow = await follow(own.port);
    slow.socket.pause();
    const long = "x".repeat(100_000);
    await expect.poll(() => { own.publish(notice(long)); return own.server.inFlight(); }, { timeout: 10_000, interval: 1 }).toBe(1);
    own.publish(notice("the end"));
    await quick.until((text) => text.includes("the end"));
    quick.socket.destroy();
    slow.socket.destroy();
  });

  it("only so many may follow", async () => {
    await using own = await startServer();
    const wires = await Promise.all(Array.from({ length: 32 }, () => follow(own.port)));
    expect(errorOf(await ask(own.port, head(own.port, "GET /events")))).toMatchObject({ status: 429, code: "rate-limited" });
    wires[0]?.socket.destroy();
    await expect.poll(() => own.server.inFlight()).toBe(31);
    wires.push(await follow(own.port));
    for (const wire of wires) wire.socket.destroy();
  });
});
