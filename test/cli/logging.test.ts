// The lines that were written last say why a process ended.
import { EventEmitter } from "node:events";
import { expect, it } from "vitest";

import { startLogging } from "../../src/cli/logging.ts";
import type { Output } from "../../src/cli/context.ts";
import { createBus } from "../../src/messages/bus.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";

it("a process that ends in the middle of everything leaves no line behind", async () => {
  const bus = createBus(createFakeClock());
  const process = new EventEmitter();
  const seen: string[] = [];
  const output = { write: (text: string) => seen.push(text) > 0, writableLength: 0, on: () => {} } as unknown as Output;
  const logging = await startLogging({
    bus,
    process,
    log: { level: "info", format: "text", file: null },
    stream: { output, level: "info" },
    uid: null,
    record: null,
    onFault: () => {},
  });
  bus.publish({ type: "account.healthy", accountId: "work" });
  process.emit("exit", 1);
  expect(seen.join("")).toContain("work: serving again");
  await logging.stop();
  expect(process.listenerCount("exit")).toBe(0);
});
