// How long a client may take for what, on a clock that stands still.
import { once } from "node:events";
import { describe, expect, it } from "vitest";

import { eventually } from "../helpers/eventually.ts";
import { answers, bodyOf, openWire } from "../server/kit.ts";
import { get, limits, openHouse, post } from "./house.ts";
import type { Exchange } from "./house.ts";

const { headersMs, requestMs, keepAliveMs } = limits;
const answerWithTarget = ({ request, response }: Exchange): void => response.end(`[${request.target}]`);

const begin = async (...answering: Parameters<typeof openHouse>) => {
  const house = await openHouse(...answering);
  const wire = openWire(house.port);
  await eventually(() => house.connections.length, (count) => count === 1);
  let sent = 0;
  /** Sends `text`, and waits until all of it was read. */
  const send = async (text: string): Promise<void> => {
    sent += text.length;
    wire.write(text);
    await house.received(sent);
  };
  /** Moves the clock and looks at the time; whether the connection lives. */
  const after = async (ms: number): Promise<boolean> => {
    await house.clock.advance(ms);
    house.check();
    return house.connections[0]?.socket.writable === true;
  };
  return { house, wire, send, after };
};

describe("the time for a head", () => {
  it("is over for a client that says nothing: the connection ends without a word", async () => {
    const { house, wire, after } = await begin();
    await using _ = house;
    expect(await after(headersMs - 1)).toBe(true);
    expect(await after(1)).toBe(false);
    expect(await wire.closed()).toBe("");
    await house.allGone();
    expect([house.faults.length, house.open()]).toEqual([0, 0]);
  });

  it.each([
    ["whole", ["\r\n", "\r\n\r\n", "\r\n"]],
    ["in halves", ["\r", "\n", "\r", "\n", "\r", "\n"]],
    ["cut within one", ["\r", "\n\r", "\n\r\n\r", "\n\r", "\n"]],
  ])("is over for a client that sends nothing but empty lines, %s", async (_, parts) => {
    const { house, wire, send, after } = await begin();
    await using open = house;
    expect(open.gone()).toBe(0);
    for (const part of parts) {
      await send(part);
      await after(headersMs / parts.length);
    }
    expect(await wire.closed(300)).not.toContain("200");
    await house.allGone();
  });

  it("begins with its first byte, and is not longer for a client that sends a little now and then", async () => {
    const { house, wire, send, after } = await begin();
    await using _ = house;
    await after(headersMs - 1);
    await send("GET / HT");
    expect(await after(headersMs - 1)).toBe(true);
    await send("TP/1.1\r\nx: y\r\n");
    expect(house.faults).toEqual([]);
    await after(1);
    expect(bodyOf(await wire.closed())).toBe("REQUEST_TIMEOUT");
    expect(house.faults.map(({ code, request, log }) => [code, request, log])).toEqual([["REQUEST_TIMEOUT", null, ["closed:true"]]]);
    await house.allGone();
    expect(house.clock.pendingTimers()).toBe(0);
  });

  it("is the same for the second request of a connection", async () => {
    const { house, wire, send, after } = await begin({ answer: answerWithTarget });
    await using _ = house;
    await send(get("/a"));
    await wire.until((text) => text.endsWith("[/a]"));
    await after(30_000);
    await send("GET /b");
    expect(await after(headersMs - 1)).toBe(true);
    await after(1);
    expect(answers(await wire.closed()).map(bodyOf)).toEqual(["[/a]", "REQUEST_TIMEOUT"]);
  });

  it("is not taken from a head that waited for its turn", async () => {
    const { house, wire, send, after } = await begin();
    await using _ = house;
    await send(`${get("/a")}GET /b HTTP/1.1\r\n`);
    await after(headersMs * 10);
    house.exchanges[0]?.response.end("ok");
    await wire.until((text) => text.endsWith("ok"));
    await eventually(() => house.exchanges[0]?.response.isFinished, (finished) => finished === true);
    expect(await after(headersMs - 1)).toBe(true);
    await send("\r\n");
    await eventually(() => house.exchanges.length, (count) => count === 2);
    wire.socket.destroy();
  });
});

describe("the time for a body", () => {
  it("is counted from the first byte of the head, and is not longer for a client that sends a little now and then", async () => {
    const { house, wire, send, after } = await begin();
    await using _ = house;
    const head = post("/", 9);
    await send(head.slice(0, 9));
    await after(headersMs - 1);
    await send(`${head.slice(9)}a`);
    expect(await after(requestMs - headersMs)).toBe(true);
    await send("b");
    expect(house.faults).toEqual([]);
    await after(1);
    expect(bodyOf(await wire.closed())).toBe("REQUEST_TIMEOUT");
    expect(house.exchanges[0]?.log).toEqual(["data:a", "data:b", "abort", "closed:false"]);
    await house.allGone();
    expect([house.open(), house.clock.pendingTimers()]).toEqual([0, 0]);
  });

  it("is counted from then also when the head comes at once, after a silence", async () => {
    const { house, wire, send, after } = await begin();
    await using _ = house;
    await after(headersMs - 1);
    await send(`${post("/", 9)}a`);
    expect(await after(requestMs - 1)).toBe(true);
    expect(house.faults).toEqual([]);
    await after(1);
    expect(bodyOf(await wire.closed())).toBe("REQUEST_TIMEOUT");
  });

  it("is over for one whose answer is out, without a word", async () => {
    const { house, wire, send, after } = await begin({ answer: answerWithTarget });
    await using _ = house;
    await send(`${post("/", 9)}a`);
    await wire.until((text) => text.endsWith("[/]"));
    await after(requestMs);
    expect(bodyOf(await wire.closed())).toBe("[/]");
    expect(house.faults).toEqual([]);
    await house.allGone();
  });
});

describe("the time for an answer", () => {
  it("has no limit, nor have the requests that wait behind it", async () => {
    const { house, wire, send, after } = await begin();
    await using _ = house;
    await send(`${post("/", 3)}abc${get("/b")}GET`);
    for (let times = 0; times < 5; times += 1) expect(await after(10 * (headersMs + requestMs + keepAliveMs))).toBe(true);
    house.exchanges[0]?.response.end("late");
    await wire.until((text) => text.endsWith("late"));
    expect(house.faults).toEqual([]);
    wire.socket.destroy();
    await once(wire.socket, "close");
  });
});

describe("the time of a connection that nobody uses", () => {
  it("is over after a while, not before, without a word", async () => {
    const { house, wire, send, after } = await begin({ answer: answerWithTarget });
    await using _ = house;
    for (const path of ["/a", "/b"]) {
      await send(get(path));
      await wire.until((text) => text.endsWith(`[${path}]`));
      await eventually(() => house.open(), (count) => count === 0);
      expect(await after(keepAliveMs - 1)).toBe(true);
    }
    expect(await after(1)).toBe(false);
    expect(answers(await wire.closed()).map(bodyOf)).toEqual(["[/a]", "[/b]"]);
    await house.allGone();
    expect([house.faults.length, house.clock.pendingTimers()]).toEqual([0, 0]);
  });

  it("begins with the end of the last answer, however long that took", async () => {
    const { house, wire, send, after } = await begin();
    await using _ = house;
    await send(get("/a"));
    await after(keepAliveMs * 3);
    house.exchanges[0]?.response.end("ok");
    await eventually(() => house.exchanges[0]?.response.isFinished, (finished) => finished === true);
    expect(await after(keepAliveMs - 1)).toBe(true);
    expect(await after(1)).toBe(false);
    expect(bodyOf(await wire.closed())).toBe("ok");
  });

  it("says what it is in every answer", async () => {
    const { house, wire, send } = await begin({ answer: answerWithTarget });
    await using _ = house;
    await send(get("/a"));
    expect(await wire.until((text) => text.endsWith("[/a]"))).toContain(`Keep-Alive: timeout=${keepAliveMs / 1000}\r\n`);
    wire.socket.destroy();
  });
});
