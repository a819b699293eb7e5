// The connections to one upstream, over real sockets with a clock of the test's own.
import { connect } from "node:net";
import type { Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";

import { PooledCall } from "../../src/proxy/call.ts";
import type { Call } from "../../src/proxy/call.ts";
import { Connections } from "../../src/proxy/connections.ts";
import type { OnSocket } from "../../src/proxy/connections.ts";
import type { ResponseHead } from "../../src/proxy/response-head.ts";
import { createSlots } from "../../src/proxy/slots.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { openRawUpstream, reply, streamHead } from "./raw-upstream.ts";
import type { RawAnswer } from "./raw-upstream.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

type Answered = { readonly call: Call; readonly done: Promise<string>; readonly sent: Promise<void> };

/** `gate` may hold a socket back, or fail it. */
const setUp = async (answer: RawAnswer, gate: (open: () => Socket, done: OnSocket) => void = connectAtOnce) => {
  const upstream = await openRawUpstream(answer);
  closing.push(upstream.close);
  const clock = createFakeClock();
  const connections = new Connections((_onBytes, done) => gate(() => connect({ port: upstream.port, host: "127.0.0.1", noDelay: true }), done), clock);
  closing.push(() => connections.close());
  const line = { slots: createSlots(100), connections };
  const ask = (method = "GET"): Answered => {
    const result = Promise.withResolvers<string>();
    const written = Promise.withResolvers<void>();
    const pieces: string[] = [];
    const listener = {
      onSent: () => written.resolve(),
      onHead: ({ status }: ResponseHead) => void pieces.push(String(status)),
      onData: (piece: Buffer) => void pieces.push(piece.toString()),
      onRead() {},
      onEnd: () => result.resolve(pieces.join(" ")),
      onError: (error: unknown) => result.resolve(`${(error as { code: string }).code}`),
    };
    const call = new PooledCall(line, { method, head: `${method} /x HTTP/1.1\r\nhost: x\r\n\r\n`, body: null }, listener);
    line.slots.enter(call);
    return { call, done: result.promise, sent: written.promise };
  };
  return { upstream, clock, connections, ask };
};

const connectAtOnce = (open: () => Socket, done: OnSocket): void => {
  const socket = open();
  socket.once("connect", () => done(null, socket));
};

/** Sockets that connect when the test says so. */
const gated = () => {
  const held: (() => void)[] = [];
  const gate = (open: () => Socket, done: OnSocket): void => void held.push(() => connectAtOnce(open, done));
  return { held, gate };
};

const hello: RawAnswer = ({ socket }) => socket.write(reply("200 OK", "hello"));

describe("a free connection", () => {
  it("serves the next request, and the one that was used last comes first", async () => {
    const sockets: Socket[] = [];
    const { upstream, ask } = await setUp((request) => {
      sockets.push(request.socket);
      if (sockets.length !== 1) hello(request, upstream);
    });
    const first = ask();
    await first.sent;
    expect(await ask().done).toBe("200 hello");
    sockets[0]?.write(reply("200 OK", "late"));
    expect(await first.done).toBe("200 late");
    await ask().done;
    expect(sockets[2]).toBe(sockets[0]);
    expect(upstream.connections()).toBe(2);
  });

  it("is closed after 55 seconds, and no timer is left", async () => {
    const { upstream, clock, ask } = await setUp(hello);
    await ask().done;
    await clock.advance(54_000);
    await ask().done;
    await clock.advance(54_999);
    expect([upstream.open(), upstream.connections()]).toEqual([1, 1]);
    await clock.advance(1);
    await upstream.until((up) => up.open() === 0);
    expect(clock.pendingTimers()).toBe(0);
  });

  it.each([
    ["timeout=5", 3_000],
    ["max=100, timeout=20", 18_000],
    ["timeout=400", 60_000],
  ])("is closed before the server closes it: Keep-Alive: %s", async (hint, ms) => {
    const { upstream, clock, ask } = await setUp(({ socket }) => socket.write(reply("200 OK", "hello", [`keep-alive: ${hint}`])));
    await ask().done;
    await clock.advance(ms - 1);
    expect(upstream.open()).toBe(1);
    await clock.advance(1);
    await upstream.until((up) => up.open() === 0);
  });

  it("is closed in its own time beside others that may stay longer", async () => {
    const { upstream, clock, ask } = await setUp(({ socket }) => {
      if (upstream.requests.length < 2) return;
      for (const request of upstream.requests) request.socket.write(reply("200 OK", "hello", request.socket === socket ? ["keep-alive: timeout=5"] : []));
    });
    await Promise.all([ask().done, ask().done]);
    await clock.advance(3_000);
    await upstream.until((up) => up.open() === 1);
    await clock.advance(51_999);
    expect(upstream.open()).toBe(1);
    await clock.advance(1);
    await upstream.until((up) => up.open() === 0);
  });

  it("is not used again when the server would close it at once", async () => {
    const { upstream, ask } = await setUp(({ socket }) => socket.write(reply("200 OK", "hello", ["keep-alive: timeout=1"])));
    await ask().done;
    await upstream.until((up) => up.open() === 0);
  });

  it("is not used when its time is over, although no timer has fired yet", async () => {
    const { upstream, connections, clock, ask } = await setUp(hello);
    await ask().done;
    Object.assign(connections, { clock: { ...clock, monotonic: () => 56_000 } });
    expect(await ask().done).toBe("200 hello");
    expect(upstream.connections()).toBe(2);
  });

  it("that the server closes is forgotten", async () => {
    const { upstream, ask } = await setUp(({ socket }) => socket.end(reply("200 OK", "hello")));
    await ask().done;
    await upstream.until((up) => up.open() === 0);
    expect(await ask().done).toBe("200 hello");
    expect(upstream.connections()).toBe(2);
  });

  it("on which something comes that nobody asked for is closed, and that is nobody's answer", async () => {
    const { upstream, ask } = await setUp(hello);
    await ask().done;
    upstream.requests[0]?.socket.write(reply("200 OK", "poison"));
    await upstream.until((up) => up.open() === 0);
    expect(await ask().done).toBe("200 hello");
  });

  it("is not kept when more came than the answer", async () => {
    const { upstream, ask } = await setUp(({ socket }) => socket.write(Buffer.concat([reply("200 OK", "hello"), reply("200 OK", "poison")])));
    expect(await ask().done).toBe("200 hello");
    await upstream.until((up) => up.open() === 0);
  });

  it.each([
    ["HTTP/1.0", "HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello"],
    ["Connection: close", "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello"],
  ])("is not kept after %s", async (_, answer) => {
    const { upstream, ask } = await setUp(({ socket }) => socket.write(answer));
    expect(await ask().done).toBe("200 hello");
    await upstream.until((up) => up.open() === 0);
  });
});

describe("a request without a free connection", () => {
  it("takes the first that is free, its own or another's", async () => {
    const { held, gate } = gated();
    const { upstream, ask } = await setUp(hello, gate);
    const both = [ask(), ask()];
    held[0]?.();
    expect(await Promise.all(both.map(({ done }) => done))).toEqual(["200 hello", "200 hello"]);
    expect(upstream.connections()).toBe(1);
    held[1]?.();
    await upstream.until((up) => up.connections() === 2);
    await ask().done;
    expect(held).toHaveLength(2);
  });

  it("that is given up is never sent, and the connection serves the next", async () => {
    const { held, gate } = gated();
    const { upstream, ask } = await setUp(hello, gate);
    ask("PUT").call.abort();
    held[0]?.();
    expect(await ask().done).toBe("200 hello");
    expect(upstream.requests.map(({ head }) => head.split(" ")[0])).toEqual(["GET"]);
    expect(upstream.connections()).toBe(1);
  });

  it("fails alone when its connection does", async () => {
    const { held, gate } = gated();
    const failing: OnSocket[] = [];
    const { ask } = await setUp(hello, (open, done) => (failing.length === 0 ? void failing.push(done) : gate(open, done)));
    const [first, second] = [ask(), ask()];
    failing[0]?.(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }), null);
    expect(await first.done).toBe("ECONNREFUSED");
    held[0]?.();
    expect(await second.done).toBe("200 hello");
  });

  it("is not hit by the failure of a connection that an earlier one no longer needed", async () => {
    const failing: OnSocket[] = [];
    let opened = 0;
    const { ask, upstream } = await setUp(
      ({ socket, head }) => void (head.startsWith("PUT") || socket.write(reply("200 OK", "hello"))),
      (open, done) => {
        opened += 1;
        if (opened === 1) connectAtOnce(open, done);
        else failing.push(done);
      },
    );
    const both = [ask(), ask()];
    expect(await Promise.all(both.map(({ done }) => done))).toEqual(["200 hello", "200 hello"]);
    const busy = ask("PUT");
    await upstream.until((up) => up.requests.length === 3);
    const third = ask();
    failing[0]?.(new Error("the second one's"), null);
    upstream.requests[2]?.socket.write(reply("200 OK", "late"));
    expect(await Promise.all([busy.done, third.done])).toEqual(["200 late", "200 hello"]);
  });
});

describe("an end", () => {
  it("after a renewal no present connection serves another request, also one that was still being opened", async () => {
    const { held, gate } = gated();
    const { upstream, connections, ask } = await setUp(hello, gate);
    const before = ask();
    connections.renew();
    held[0]?.();
    expect(await before.done).toBe("200 hello");
    await upstream.until((up) => up.open() === 0);
    const after = ask();
    held[1]?.();
    await after.done;
    connections.renew();
    await upstream.until((up) => up.open() === 0);
  });

  it("closing fails what is carried, what waits and what comes, and leaves no socket and no timer", async () => {
    const { held, gate } = gated();
    const { upstream, clock, connections, ask } = await setUp(({ socket, head }) => socket.write(head.startsWith("PUT") ? streamHead : reply("200 OK", "hello")), gate);
    const carried = ask("PUT");
    held[0]?.();
    await carried.sent;
    const waiting = ask();
    await connections.close();
    expect(await Promise.all([carried.done, waiting.done, ask().done])).toEqual(["UPSTREAM_CLOSED", "UPSTREAM_CLOSED", "UPSTREAM_CLOSED"]);
    held[1]?.();
    await upstream.until((up) => up.open() === 0 && up.connections() === 2);
    expect(clock.pendingTimers()).toBe(0);
  });

  it("a connection that is reset fails its request with the reason, one that ends too early with ours", async () => {
    const { ask } = await setUp(({ socket, head }) => void (head.startsWith("PUT") ? socket.resetAndDestroy() : socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort")));
    expect(await ask("PUT").done).toBe("ECONNRESET");
    expect(await ask().done).toBe("SHORT_BODY");
  });
});
