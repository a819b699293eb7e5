// Faults as the bytes on the wire show them, read by a bare socket that repairs nothing.
import { describe, expect, it } from "vitest";
import type { Fault, Rule } from "../../src/demo/faults.ts";
import type { UpstreamOptions } from "../../src/demo/upstream.ts";
import { rawAsk, start, wire } from "./kit.ts";

const provoke = async (fault: Fault | readonly Fault[], change: object = { stream: true }, options: Partial<UpstreamOptions> = {}) => {
  const upstream = await start(options);
  upstream.script({ fault });
  const seen = wire(upstream, rawAsk(upstream, change));
  return { upstream, seen };
};

const bodyOf = (text: string): string => text.slice(text.indexOf("\r\n\r\n") + 4);

describe("before the headers", () => {
  it("refuse is a reset, hang-up a close, neither with a byte", async () => {
    const refused = await provoke({ kind: "refuse" });
    expect([await refused.seen.ended, refused.seen.text()]).toEqual(["reset", ""]);
    const hungUp = await provoke({ kind: "hang-up" });
    expect([await hungUp.seen.ended, hungUp.seen.text()]).toEqual(["fin", ""]);
  });

  it("never says nothing until the client leaves, and sees that it left", async () => {
    const { upstream, seen } = await provoke({ kind: "never" });
    await upstream.waitFor(({ requests }) => requests[0]?.bodyComplete === true);
    expect([seen.text(), upstream.openRequests()]).toEqual(["", 1]);
    seen.socket.destroy();
    await upstream.waitFor(({ requests }) => requests[0]?.aborted === true);
    expect(upstream.openRequests()).toBe(0);
  });

  it("one-byte sends the H of HTTP and then hangs", async () => {
    const { seen } = await provoke({ kind: "one-byte" });
    await seen.until(/^H/);
    expect(seen.text()).toBe("H");
  });

  it("garbage is no HTTP, unasked-upgrade is a 101", async () => {
    const garbage = await provoke({ kind: "garbage" });
    await garbage.seen.ended;
    expect(garbage.seen.text()).not.toContain("HTTP/1.1");
    const upgrade = await provoke({ kind: "unasked-upgrade" });
    await upgrade.seen.ended;
    expect(upgrade.seen.text()).toMatch(/^HTTP\/1\.1 101 /);
  });

  it("early-hints come first, the answer is whole", async () => {
    const { seen } = await provoke({ kind: "early-hints" });
    await seen.until(/message_stop/);
    expect(seen.text()).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: [^\r]+\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });

  it("wire sends what it was given, control characters included", async () => {
    const { seen } = await provoke({ kind: "wire", bytes: Buffer.from("HTTP/1.1 200 \u001b[2J\r\nx: \u009b31m\r\n\r\n", "latin1") });
    await seen.ended;
    expect(seen.text()).toBe("HTTP/1.1 200 \u001b[2J\r\nx: \u009b31m\r\n\r\n");
  });
});

describe("after the headers", () => {
  it("reset breaks off after that many bytes, in the middle of an event", async () => {
    const { upstream, seen } = await provoke([{ kind: "split", at: [50] }, { kind: "reset", afterBytes: 50 }]);
    expect(await seen.ended).toBe("reset");
    expect(bodyOf(seen.text())).toMatch(/^32\r\nevent: message_start\n/);
    expect(upstream.requests[0]).toMatchObject({ bytesSent: 50, aborted: false, finished: true });
  });

  it("reset at 0 leaves the headers alone", async () => {
    const { seen } = await provoke({ kind: "reset", afterBytes: 0 });
    expect(await seen.ended).toBe("reset");
    expect(seen.text()).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*\r\n\r\n$/);
  });

  it("truncated ends early with a clean close, under either framing", async () => {
    const chunked = await provoke({ kind: "truncated", afterBytes: 30 });
    expect(await chunked.seen.ended).toBe("fin");
    expect(chunked.seen.text()).not.toMatch(/0\r\n\r\n$/);
    const counted = await provoke({ kind: "truncated", afterBytes: 30 }, {});
    expect(await counted.seen.ended).toBe("fin");
    const declared = Number(/content-length: (\d+)/i.exec(counted.seen.text())?.[1]);
    expect([bodyOf(counted.seen.text()).length, declared > 30]).toEqual([30, true]);
  });

  it("silence keeps the stream open without a byte", async () => {
    const { upstream, seen } = await provoke({ kind: "silence", afterBytes: 20 });
    await upstream.waitFor(({ requests }) => requests[0]?.bytesSent === 20);
    expect(upstream.openStreams()).toBe(1);
    seen.socket.destroy();
    await upstream.waitFor(({ requests }) => requests[0]?.leftAtByte === 20);
    expect(upstream.openStreams()).toBe(0);
  });

  it("slow gives every byte, a few at a time", async () => {
    const { seen } = await provoke({ kind: "slow", bytes: 200, delayMs: 1 });
    await seen.until(/0\r\n\r\n$/);
    expect(seen.text()).toContain("message_stop");
    expect(seen.text().match(/\r\nc8\r\n/g)?.length).toBeGreaterThan(3);
  });

  it("two content-lengths, or one beside chunked, go out as they are", async () => {
    const two = await provoke({ kind: "two-content-lengths" }, {});
    await two.seen.ended;
    expect(two.seen.text().match(/content-length: \d+/gi)).toHaveLength(2);
    const both = await provoke({ kind: "length-and-chunked" }, {});
    await both.seen.ended;
    expect(both.seen.text()).toMatch(/content-length: \d+\r\ntransfer-encoding: chunked/i);
  });

  it("trailers follow the last chunk", async () => {
    const { seen } = await provoke({ kind: "trailers", trailers: [["x-checksum", "1"]] });
    await seen.until(/\r\n0\r\nx-checksum: 1\r\n\r\n$/);
  });

  it("latin1 and C1 bytes in a header, and two cookies, are sent unchanged", async () => {
    const fault: Fault = { kind: "headers", headers: [["x-place", "Z\u00fcrich \u009b1m"], ["set-cookie", "a=1"], ["set-cookie", "b=2"]] };
    const { seen } = await provoke(fault, {});
    await seen.until(/end_turn/);
    expect(seen.text()).toContain("x-place: Z\u00fcrich \u009b1m\r\n");
    expect(seen.text().match(/set-cookie: /g)).toHaveLength(2);
  });
});

describe("an early rule", () => {
  it("answers while the body is still on its way", async () => {
    const upstream = await start();
    upstream.script({ early: true, fault: { kind: "status", status: 413 } });
    const seen = wire(upstream, "POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nonly the beginning");
    await seen.until(/^HTTP\/1\.1 413 /);
    expect(upstream.requests[0]?.bodyComplete).toBe(false);
  });

  it("is refused for a fault that needs the answer", async () => {
    const upstream = await start();
    const rule: Rule = { early: true, fault: { kind: "reset", afterBytes: 3 } };
    expect(() => upstream.script(rule)).toThrow("an early rule needs a fault that replaces the endpoint");
  });
});

describe("a connection that is used again", () => {
  it("a request that comes before the answer to the one before has ended is answered in its turn", async () => {
    const upstream = await start();
    const three = [rawAsk(upstream, { stream: true }), rawAsk(upstream).replace("Bearer ", "Bearer x"), rawAsk(upstream)];
    const seen = wire(upstream, three.join(""));
    await seen.until(/200 OK[\s\S]*message_stop[\s\S]*401 Unauthorized[\s\S]*200 OK[\s\S]*"stop_reason"/);
    seen.socket.destroy();
  });

  it("one that waits for its turn ends with its connection", async () => {
    const upstream = await start();
    upstream.script({ fault: { kind: "never" }, times: 1 });
    const seen = wire(upstream, rawAsk(upstream) + rawAsk(upstream));
    await upstream.waitFor(({ requests }) => requests[1]?.bodyComplete === true);
    seen.socket.destroy();
    await upstream.waitFor(({ requests }) => requests.every(({ aborted }) => aborted));
  });
});
