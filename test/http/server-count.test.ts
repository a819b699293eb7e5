// How many requests are without a complete answer: what a shutdown waits for.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { eventually } from "../helpers/eventually.ts";
import { openWire } from "../server/kit.ts";
import { post } from "./house.ts";
import { start } from "./running-server.ts";

describe("the count of requests without a complete answer", () => {
  type Own = Awaited<ReturnType<typeof start>>;
  const ends: Record<string, (own: Own, busy: Awaited<ReturnType<Own["busy"]>>) => unknown> = {
    finished: (_, { exchange }) => exchange.response.end("done"),
    left: (_, { wire }) => wire.socket.destroy(),
    "half closed": (_, { wire }) => wire.socket.end(),
    destroyed: (_, { exchange }) => exchange.response.destroy(),
    fault: async (_, { wire, exchange }) => {
      exchange.response.end("done");
      wire.write("no request\r\n\r\n");
      await wire.closed();
    },
    "broken off": (_, { exchange }) => {
      exchange.response.write("begun");
      exchange.response.destroy();
    },
  };

  it("is right whatever ends them, in any order, and nothing where none is", async () => {
    await using own = await start();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...Object.keys(ends)), { minLength: 1, maxLength: 4 }), async (names) => {
        const open: Awaited<ReturnType<Own["busy"]>>[] = [];
        for (const _ of names) open.push(await own.busy());
        for (const [index, name] of names.entries()) {
          expect(own.server.open()).toBe(names.length - index);
          const busy = open[index];
          if (busy !== undefined) await ends[name]?.(own, busy);
          await eventually(() => own.server.open(), (count) => count === names.length - index - 1);
        }
        open.forEach(({ wire }) => wire.socket.destroy());
      }),
      { numRuns: 12 },
    );
    expect(own.server.open()).toBe(0);
  });

  it("has a fault in it until that is answered, and a request that is aborted for it no longer", async () => {
    await using own = await start({ answerFault() {} });
    const wire = openWire(own.port);
    wire.write(`${post("/", "chunked")}1\r\na\r\n`);
    await eventually(() => own.exchanges.length, (count) => count === 1);
    expect(own.server.open()).toBe(1);
    wire.write("zz\r\n");
    await eventually(() => own.faults.length, (count) => count === 1);
    expect([own.exchanges[0]?.response.isClosed, own.server.open()]).toEqual([true, 1]);
    own.faults[0]?.response.end("fault");
    await wire.closed();
    await eventually(() => own.server.open(), (count) => count === 0);
  });
});
