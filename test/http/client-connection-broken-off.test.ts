// Answers that are broken off, as their client sees it: none may look complete (RFC 9112 section 8).
import { describe, expect, it } from "vitest";

import { eventually } from "../helpers/eventually.ts";
import { bodyOf, openWire } from "../server/kit.ts";
import { get, limits, openHouse, post } from "./house.ts";
import type { Exchange } from "./house.ts";

const begin = ({ response }: Exchange): void => void response.write("begun");

/** A client of HTTP/1.0 with an answer that only the end of the connection ends. */
const openOld = async (text: string, answer: (exchange: Exchange) => void = begin) => {
  const house = await openHouse({ answer });
  const wire = openWire(house.port);
  const end = new Promise<unknown>((resolve) => wire.socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code)).once("end", () => resolve("a good end")));
  wire.write(text.replace("HTTP/1.1", "HTTP/1.0"));
  return { house, wire, end };
};

describe("an answer that only the end of the connection ends", () => {
  it("has a good end when all was said", async () => {
    const { house, wire, end } = await openOld(get("/"), ({ response }) => {
      response.write("be");
      response.end("gun");
    });
    await using _ = house;
    expect(await end).toBe("a good end");
    expect(bodyOf(await wire.closed())).toBe("begun");
    expect(house.exchanges[0]?.log).toEqual(["end", "closed:true"]);
  });

  it("has a good end when all was sent, though the body it did not wait for never came", async () => {
    const { house, wire, end } = await openOld(`${post("/", 9)}a`, ({ response }) => {
      response.write("be");
      response.end("gun");
    });
    await using _ = house;
    await eventually(() => house.exchanges[0]?.response.isFinished, (finished) => finished === true);
    await house.clock.advance(1000);
    expect(await end).toBe("a good end");
    expect(bodyOf(await wire.closed())).toBe("begun");
  });

  const ways: readonly (readonly [string, (exchange: Exchange, house: Awaited<ReturnType<typeof openHouse>>) => unknown])[] = [
    ["by its writer", ({ response }) => response.destroy()],
    ["by its server", (_, house) => house.connections[0]?.destroy()],
    ["by a time limit", async (_, house) => {
      await house.clock.advance(limits.requestMs);
      house.check();
    }],
  ];
  it.each(ways)("is reset when it is broken off: %s", async (_, breakOff) => {
    const { house, wire, end } = await openOld(`${post("/", 9)}a`);
    await using open = house;
    expect(open.gone()).toBe(0);
    await wire.until((text) => text.endsWith("begun"));
    await breakOff(house.exchanges[0] as Exchange, house);
    expect(await end).toBe("ECONNRESET");
    await house.allGone();
    expect(house.exchanges[0]?.log).toEqual(["data:a", "abort", "closed:false"]);
  });

  it("is reset when all was said and not all was sent", async () => {
    const { house, wire, end } = await openOld(get("/"), ({ response }) => {
      response.write("begun");
      response.end(Buffer.alloc(12_000_000));
    });
    await using _ = house;
    wire.socket.pause();
    await eventually(() => house.exchanges.length, (count) => count === 1);
    house.connections[0]?.destroy();
    wire.socket.resume();
    expect(await end).toBe("ECONNRESET");
  });
});

describe("an answer that says itself where it ends", () => {
  it.each<[string, string, readonly string[]]>([
    ["in chunks", "5\r\nbegun\r\n", []],
    ["with a length", "begun", ["content-length", "9"]],
  ])("is cut short when it is broken off, and its last byte never comes: %s", async (_, body, fields) => {
    await using house = await openHouse({ answer({ response }) {
      response.writeHead(200, fields);
      response.write("begun");
    } });
    const wire = openWire(house.port);
    wire.write(get("/"));
    await wire.until((text) => text.includes("begun"));
    house.exchanges[0]?.response.destroy();
    expect(bodyOf(await wire.closed())).toBe(body);
    await house.allGone();
    expect(house.exchanges[0]?.log).toEqual(["end", "closed:false"]);
  });

  it("that is broken off before its first byte has none", async () => {
    await using house = await openHouse({ answer: ({ response }) => response.destroy() });
    const wire = openWire(house.port);
    wire.write(get("/"));
    expect(await wire.closed()).toBe("");
    await house.allGone();
    expect(house.exchanges[0]?.log).toEqual(["end", "closed:false"]);
  });
});
