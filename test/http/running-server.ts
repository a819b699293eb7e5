// A whole server with a handler that remembers, on a free port and a clock that stands still.
import { createHttpServer } from "../../src/http/server.ts";
import { eventually } from "../helpers/eventually.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { openWire } from "../server/kit.ts";
import type { Wire } from "../server/kit.ts";
import { get, limits, remember } from "./house.ts";
import type { Exchange } from "./house.ts";

export const checkMs = 1000;

/** Starts listening. */
export const start = async (...answering: Parameters<typeof remember>) => {
  const clock = createFakeClock();
  const { handler, ...seen } = remember(...answering);
  const troubles: unknown[] = [];
  const server = createHttpServer({ clock, limits: { ...limits, checkMs }, onTrouble: (error) => void troubles.push(error) });
  const ports: number[] = [];
  const port = await server.listen({ host: "127.0.0.1", port: 0 }, (bound) => {
    ports.push(bound);
    return handler;
  });
  return {
    ...seen,
    clock,
    server,
    troubles,
    ports,
    port,
    /** A client whose request for `path` was announced. */
    async busy(path = "/busy"): Promise<{ readonly wire: Wire; readonly exchange: Exchange }> {
      const before = seen.exchanges.length;
      const wire = openWire(port);
      wire.write(get(path));
      const exchange = await eventually(() => seen.exchanges[before], (found) => found !== undefined);
      return { wire, exchange: exchange as Exchange };
    },
    async [Symbol.asyncDispose]() {
      server.stop();
      server.cut();
      await server.drain();
    },
  };
};
